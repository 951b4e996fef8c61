"""A user's own tables. Oracles: mappings written by hand; real tables of counts, RPKM, means and filtered counts."""

import gzip

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from scarceseq.archive.gene_ids import map_gene_ids
from scarceseq.archive.settings import UserStudySettings
from scarceseq.archive.tables import read_annotation
from scarceseq.archive.user_study import import_study, study_annotation
from scarceseq.errors import InputError

GENES = pd.DataFrame(
    {
        "gene_id": ["ENSMUSG01.4", "ENSMUSG02.1", "ENSMUSG03.2", "ENSMUSG04.1", "ENSMUSG05.1"],
        "gene_name": ["Actb", "Gapdh", "Twin", "Twin", "Xist"],
        "gene_type": ["protein_coding"] * 4 + ["lncRNA"],
        "bp_length": [100, 200, 300, 400, 500],
    }
)
COUNTS = "gene,s1,s2,length\nENSMUSG02.9,1,2,7\nENSMUSG01,3,9007199254740992,7\nENSMUSG05.1,5,6,7\nENSMUSG99,1,1,7\n"
LABELS = "sample\tsex\tage\ns2\tmale\tNA\ns1\tfemale\t3\n"


@pytest.fixture
def study(tmp_path):
    """Function that imports two small tables."""

    def run(counts=COUNTS, labels=LABELS, counts_path=None, **changed):
        (tmp_path / "counts.csv").write_text(counts)
        (tmp_path / "labels.tsv").write_text(labels or "")
        settings = {
            "name": "mine",
            "counts": str(counts_path or tmp_path / "counts.csv"),
            "labels": str(tmp_path / "labels.tsv") if labels else None,
            "sample_column": "sample",
            "gene_id_type": "ensembl",
            "label_columns": ["sex", "age"] if labels else [],
            "quantity": "counts",
            "organism": "mouse",
            "min_protein_coding_share": 0.5,
        }
        return import_study(UserStudySettings(**settings | changed), GENES)

    return run


def test_counts_land_on_the_annotations_genes_in_the_order_of_the_labels(study):
    made = study()
    assert made.samples.index.tolist() == ["mine.s2", "mine.s1"]
    assert made.counts.tolist() == [[9007199254740992, 2, 0, 0, 6], [3, 1, 0, 0, 5]]
    assert made.genes["measured"].tolist() == [True, True, False, False, True]
    assert made.unmapped.to_numpy().tolist() == [["ENSMUSG99", "not_in_annotation"]]
    assert made.samples["unit"].unique() == ["read_counts"]


def test_labels_become_attributes_and_blanks_do_not(study):
    rows = study().attributes.to_numpy().tolist()
    assert rows == [["mine.s1", "age", "3"], ["mine.s1", "sex", "female"], ["mine.s2", "sex", "male"]]


def test_a_column_becomes_an_attribute_of_another_name(study):
    rows = study(attribute_names={"sex": "state"}).attributes.to_numpy().tolist()
    assert rows == [["mine.s1", "age", "3"], ["mine.s1", "state", "female"], ["mine.s2", "state", "male"]]
    with pytest.raises(InputError, match="attribute_names names the column 'strain', which label_columns lacks"):
        study(attribute_names={"strain": "state"})
    with pytest.raises(InputError, match="two columns would be the attribute 'age'"):
        study(attribute_names={"sex": "age"})


def test_without_labels_every_column_is_a_sample_and_a_length_is_none(study):
    with pytest.raises(InputError, match="column 'length' is no sample by its name"):
        study(labels=None)
    made = study(COUNTS.replace("length", "s3"), labels=None)
    assert made.samples["runs"].tolist() == ["s1", "s2", "s3"]
    assert made.attributes.empty


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (",3,", ",3.5,", "fractions"),
        (",3,", ",-3,", "negative"),
        (",3,", ",,", "blank or NaN"),
        (",3,", ",NaN,", "blank or NaN"),
        (",3,", ",many,", "text among its numbers"),
        (
            "s1",
            "s3",
            r"samples without a column in .*: s1; its columns are s3, s2, length, ... \(genes x samples is wanted\)",
        ),
        ("ENSMUSG01", "ENSMUSG77", "covers a share of 0.25"),
    ],
)
def test_what_is_no_count_table_of_whole_genome_is_refused(study, old, new, words):
    with pytest.raises(InputError, match=f"user study mine.*{words}"):
        study(COUNTS.replace(old, new))


def test_a_label_column_that_is_not_there_is_named(study):
    with pytest.raises(InputError, match="no column 'strain'"):
        study(label_columns=["strain"])


def test_an_annotation_that_is_no_gtf_of_recount3_is_named(tmp_path):
    (tmp_path / "human.gtf.gz").write_bytes(gzip.compress(b'chr1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "A";\n'))
    settings = UserStudySettings(name="mine", counts="x", gene_id_type="symbol", organism="human")
    with pytest.raises(InputError, match=r"user study mine: annotation .*human\.gtf\.gz: line 1: .* exonic length"):
        study_annotation(settings, tmp_path / "human.gtf.gz")


def test_ambiguous_symbols_and_repeated_rows_are_left_out_and_listed():
    mapped, unmapped = map_gene_ids(["Gapdh", "Twin", "Xist", "Xist", "Nope"], "symbol", GENES)
    assert mapped.to_numpy().tolist() == [[0, "ENSMUSG02.1"]]
    assert unmapped[["gene_id", "reason"]].to_numpy().tolist() == [
        ["Twin", "ambiguous"],
        ["Xist", "duplicate_row"],
        ["Xist", "duplicate_row"],
        ["Nope", "not_in_annotation"],
    ]


@pytest.fixture(scope="module")
def mouse_genes(shared_data):
    mirror = shared_data / "bulk/recount3_real/mouse_SRP081192_reconstructed_mirror/recount3/mouse"
    return read_annotation(mirror / "annotations/gene_sums/mouse.gene_sums.M023.gtf.gz")


def real(shared_data, table, gene_id_type):
    path = str(shared_data / "bulk/mouse" / table)
    return UserStudySettings(name="real", counts=path, gene_id_type=gene_id_type, organism="mouse")


@pytest.mark.parametrize(
    ("table", "gene_id_type", "samples"),
    [
        ("GSE96870_cerebellum_influenza/counts.tsv.gz", "symbol", 22),
        ("ucdavis_KOMIR150_KOTet3/counts.tsv.gz", "ensembl", 22),
        ("weger18_liver_circadian/counts.tsv.gz", "ensembl", 12),
    ],
)
def test_real_counts_keep_every_value(shared_data, mouse_genes, table, gene_id_type, samples):
    made = import_study(real(shared_data, table, gene_id_type), mouse_genes)
    assert made.counts.shape == (samples, 55421)
    plain = pd.read_csv(shared_data / "bulk/mouse" / table, sep="\t", index_col=0)
    lost = plain[plain.index.isin(made.unmapped["gene_id"])].to_numpy().sum()
    assert made.counts.sum() == plain.to_numpy().sum() - lost


@pytest.mark.parametrize(
    ("table", "gene_id_type", "words"),
    [
        ("hbc_typeA_typeB_Wt_KO/rpkm.tsv.gz", "ensembl", "fractions"),
        ("immgen_86_populations/norm_expr.tsv.gz", "symbol", "fractions"),
        ("encode_17tissue_means/expr.tsv.gz", "ensembl", "fractions"),
        ("GSE71176_bcell_p53_IR/counts.tsv.gz", "ensembl", "covers a share of 0.26"),
        ("GSE60450_mammary/counts.tsv.gz", "ensembl", "covers a share of 0.00"),
    ],
)
def test_real_tables_that_are_no_whole_counts_are_refused(shared_data, mouse_genes, table, gene_id_type, words):
    with pytest.raises(InputError, match=words):
        import_study(real(shared_data, table, gene_id_type), mouse_genes)


WRITTEN_BY_R = '"s1"{0}"s2"\n"ENSMUSG02"{0}1{0}2\n"ENSMUSG01"{0}3{0}4\n"ENSMUSG05"{0}5{0}6\n'
BY_FEATURE_COUNTS = "Geneid\tLength\ts1\ts2\nENSMUSG02\t7\t1\t2\nENSMUSG01\t7\t3\t4\nENSMUSG05\t7\t5\t6\n"


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("counts.txt", WRITTEN_BY_R.format(" ")),  # write.table(counts)
        ("counts.tsv", WRITTEN_BY_R.format("\t")),  # write.table(counts, sep = "\t")
        ("counts.csv", '"",' + WRITTEN_BY_R.format(",")),  # write.csv(counts)
        ("counts.tsv", "# Program:featureCounts v2\n" + BY_FEATURE_COUNTS),
    ],
    ids=["blanks", "tabs", "csv", "remark"],
)
def test_tables_as_r_exports_them_are_read(study, tmp_path, name, text, zipped):
    path = tmp_path / "r" / (name + ".gz" * zipped)
    path.parent.mkdir()
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    made = study(counts_path=path)
    assert made.counts[:, [0, 1, 4]].tolist() == [[4, 2, 6], [3, 1, 5]]


@pytest.mark.parametrize("layer", [False, True])
def test_an_h5ad_gives_counts_and_labels(study, tmp_path, layer):
    counts = np.array([[1, 3, 5], [2, 4, 6]])
    obs = pd.DataFrame({"sex": ["female", "male"], "age": [3.0, np.nan]}, index=["s1", "s2"])
    found = anndata.AnnData(counts.astype(float), obs, pd.DataFrame(index=["ENSMUSG02", "ENSMUSG01", "ENSMUSG05"]))
    if layer:
        found.layers["counts"], found.X = scipy.sparse.csr_matrix(counts), np.log1p(counts)
    found.write_h5ad(tmp_path / "own.h5ad")
    made = study(counts_path=tmp_path / "own.h5ad", labels=None, label_columns=["sex", "age"])
    assert made.counts[:, [0, 1, 4]].tolist() == [[3, 1, 5], [4, 2, 6]]
    assert made.attributes["value"].tolist() == ["3.0", "female", "male"]


def test_objects_of_r_are_refused_with_what_to_do(study, tmp_path):
    (tmp_path / "counts.rds").write_bytes(b"x")
    with pytest.raises(InputError, match=r"holds R objects.*write\.table"):
        study(counts_path=tmp_path / "counts.rds")
