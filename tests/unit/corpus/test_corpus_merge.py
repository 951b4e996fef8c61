"""Joining studies and splitting them. Oracles: matrices and shares worked out by hand."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.archive.counts import SAMPLE_COLUMNS, write_counts
from scarceseq.archive.filters import DROPPED_COLUMNS
from scarceseq.corpus import merge, store, transform
from scarceseq.corpus.attributes import join_attributes
from scarceseq.corpus.gene_choice import read_gene_list
from scarceseq.corpus.splits import split_studies
from scarceseq.errors import InputError
from scarceseq.files import read_table, write_table

GENES = pd.DataFrame(
    {
        "gene_name": ["A", "B", "C", "D"],
        "gene_type": ["protein_coding", "protein_coding", "lncRNA", "protein_coding"],
        "bp_length": [100, 200, 300, 400],
    },
    index=["g1.1", "g2.1", "g3.1", "g4.1"],
)


def part(study, rows, measured=(True, True, True, True), genes=GENES):
    """Samples of one study, as a batch or a user's study would hold them."""
    samples = pd.DataFrame({"study": study, "runs": [f"run_{name}" for name in rows]}, index=list(rows))
    samples = samples.assign(organism="mouse", source="sra", unit="base_coverage", auc=1.0, mapped_reads=1.0)
    samples = samples.assign(average_mapped_length=50.0)[SAMPLE_COLUMNS]
    counts = np.array(list(rows.values()), dtype=np.int64).reshape(len(rows), len(genes))
    return anndata.AnnData(counts, obs=samples, var=genes.assign(measured=list(measured)))


@pytest.fixture
def join(tmp_path):
    """Function that writes parts as files and merges these."""

    def merged(*parts, gene_types=("protein_coding",), dropped=(), gene_list=None, **options):
        paths = [tmp_path / f"part{number}.h5ad" for number in range(len(parts))]
        for part, path in zip(parts, paths, strict=True):
            write_counts(part.X, part.obs, part.var, path)
        return merge.merge(paths, list(dropped), list(gene_types), gene_list=gene_list, **options)

    return merged


@pytest.fixture
def written(tmp_path):
    """Function that writes a corpus and returns what anndata and numpy read."""

    def write(corpus, name="corpus"):
        store.write_corpus(corpus, tmp_path / f"{name}.h5ad", tmp_path / f"{name}.npy")
        return anndata.read_h5ad(tmp_path / f"{name}.h5ad"), np.load(tmp_path / f"{name}.npy", mmap_mode="r")

    return write


BATCH = part("SRP2", {"b": [1, 2, 3, 4], "a": [2**53 + 1, 6, 7, 8]})
USER = part("mine", {"mine.s": [0, 5, 9, 0]}, measured=[True, True, True, False])


def test_samples_are_sorted_by_study_then_name_and_stay_exact(join, written):
    back, _ = written(join(BATCH, USER))
    assert back.obs_names.tolist() == ["a", "b", "mine.s"]
    assert back.X.tolist() == [[2**53 + 1, 6, 7, 8], [1, 2, 3, 4], [0, 5, 9, 0]]


def test_the_order_of_the_parts_does_not_matter(join, written):
    other = part("SRP1", {"z": [4, 4, 4, 5]})
    first, second = (written(join(*parts)) for parts in ([BATCH, other], [other, BATCH]))
    assert first[0].obs.equals(second[0].obs)
    assert np.array_equal(first[0].X, second[0].X)
    assert np.array_equal(first[1], second[1])


def test_genes_are_those_measured_in_every_study(join):
    corpus = join(BATCH, USER)
    assert corpus.genes["shared"].tolist() == [True, True, True, False]
    assert corpus.genes["chosen"].tolist() == [True, True, False, False]
    assert merge.gene_table(corpus)["gene_id"].tolist() == ["g1.1", "g2.1"]


def test_genes_that_enough_studies_measured_stay_and_what_is_missing_is_marked(join, written):
    other = part("SRP3", {"c": [4, 3, 2, 1]})
    assert join(BATCH, USER, other, measured_share=0.7).genes["shared"].tolist() == [True, True, True, False]
    corpus = join(BATCH, USER, other, measured_share=0.6, gene_types=())
    assert corpus.genes["shared"].all()
    matrix = written(corpus)[1]
    row = merge.sample_table(corpus)["sample"].tolist().index("mine.s")
    expected = np.log2(transform.tpm([[0, 5, 9]], [100, 200, 300]) + 1)  # of the genes that it has
    np.testing.assert_allclose(matrix[row], [*expected[0], transform.NOT_MEASURED], rtol=1e-3)
    assert (np.delete(matrix, row, axis=0) >= 0).all()
    filled = transform.measured_or_mean(matrix)
    assert filled[row, 3] == pytest.approx(np.delete(matrix[:, 3].astype(float), row).mean())
    np.testing.assert_array_equal(filled[:, :3], matrix[:, :3])


def test_a_user_study_has_the_genes_of_the_archive_where_it_has_more(join, written):
    more = pd.concat([GENES, pd.DataFrame({"gene_name": "E", "gene_type": "x", "bp_length": 9}, index=["g0.1"])])
    user = part("mine", {"mine.s": [1, 0, 2, 3, 9]}, measured=[True] * 5, genes=more.sort_index())
    corpus = join(BATCH, user)
    assert corpus.genes.index.tolist() == GENES.index.tolist()
    assert written(corpus)[0].X[-1].tolist() == [0, 2, 3, 9]


def test_a_part_that_lacks_genes_is_named(join):
    user = part("mine", {"mine.s": [1, 0, 2]}, measured=[True] * 3, genes=GENES.iloc[:3])
    with pytest.raises(InputError, match=r"part1.h5ad: lacks 1 of the 4 genes of .*part0.h5ad, the first is g4\.1"):
        join(BATCH, user)


def test_training_values_are_log_tpm_over_all_shared_genes_before_the_choice(join, written):
    counts, matrix = written(join(BATCH, USER))
    expected = np.log2(transform.tpm(counts.X[:, :3], [100, 200, 300]) + 1).astype(np.float16)[:, :2]
    assert matrix.flags.c_contiguous
    assert matrix.dtype == np.float16
    assert np.array_equal(matrix, expected)


def test_identical_counts_are_kept_once_and_the_rest_are_listed(join):
    copy = part("zz_copy", {"zz_copy.s": [1, 2, 3, 4]})
    corpus = join(BATCH, copy)
    assert corpus.samples.index.tolist() == ["a", "b"]
    assert corpus.dropped.to_numpy().tolist() == [["zz_copy", "run_zz_copy.s", "duplicate_content", "b"]]


def test_a_copy_on_fewer_genes_is_found_too(join):
    copy = part("zz_copy", {"zz_copy.s": [1, 2, 3, 0]}, measured=[True, True, True, False])
    assert join(BATCH, copy).dropped["reason"].tolist() == ["duplicate_content"]


def test_a_sample_with_nothing_in_the_shared_genes_is_dropped(join):
    nothing = part("SRP3", {"n": [0, 0, 0, 5]})
    assert join(BATCH, USER, nothing).dropped.to_numpy().tolist() == [
        ["SRP3", "run_n", "all_zero_in_shared_genes", None]
    ]


def test_a_sample_name_in_two_studies_is_kept_once(join):
    again = part("SRP9", {"a": [9, 9, 9, 9]})
    assert join(BATCH, again).dropped["reason"].tolist() == ["duplicate_sample"]


def test_lists_of_dropped_runs_are_joined_and_sorted(join):
    lists = [pd.DataFrame([[study, "r", "few_mapped_reads", "1"]], columns=DROPPED_COLUMNS) for study in ("Z", "B")]
    assert join(BATCH, gene_types=[], dropped=lists).dropped["study"].tolist() == ["B", "Z"]


def test_figures_of_samples_are_over_shared_genes(join):
    table = merge.sample_table(join(BATCH, USER)).set_index("sample")
    assert table.loc["b", ["library_size", "genes_detected", "zero_fraction"]].tolist() == [6, 3, 0]
    assert table.loc["mine.s", ["library_size", "genes_detected", "zero_fraction"]].tolist() == [14, 2, 0.5]
    assert table["library_size"].dtype == np.int64


def test_counts_are_tpm_times_length_times_the_sum_of_rates(join):
    corpus = join(BATCH, USER)
    length, rate_sum = GENES["bp_length"].to_numpy()[:3], merge.sample_table(corpus).set_index("sample")["rate_sum"]
    for sample, counts in (("b", [1, 2, 3]), ("mine.s", [0, 5, 9])):
        tpm = transform.tpm([counts], length)[0]
        np.testing.assert_allclose(tpm * length * rate_sum[sample] / 1e6, counts, rtol=1e-12)


def test_genes_can_be_all_those_of_types_or_those_of_a_list(join, tmp_path, caplog):
    (tmp_path / "list.txt").write_text("g4.7\ng2\ng9\n")
    listed = read_gene_list(tmp_path / "list.txt")
    chosen = {
        (types, named): join(BATCH, USER, gene_types=types, gene_list=listed if named else None).genes["chosen"]
        for types in ((), ("protein_coding",), ("lncRNA",))
        for named in (False, True)
        if (types, named) != (("lncRNA",), True)
    }
    assert {key: found.index[found].tolist() for key, found in chosen.items()} == {
        ((), False): ["g1.1", "g2.1", "g3.1"],
        ((), True): ["g2.1"],
        (("protein_coding",), False): ["g1.1", "g2.1"],
        (("protein_coding",), True): ["g2.1"],
        (("lncRNA",), False): ["g3.1"],
    }
    assert "2 of 3 genes" in caplog.text
    with pytest.raises(InputError, match=r"a type among \['lncRNA'\] and is in corpus\.gene_list"):
        join(BATCH, USER, gene_types=("lncRNA",), gene_list=listed)


def test_a_list_of_no_genes_is_an_error(tmp_path):
    (tmp_path / "list.txt").write_text("\n")
    with pytest.raises(InputError, match=r"corpus\.gene_list: .*list\.txt names no gene"):
        read_gene_list(tmp_path / "list.txt")


def test_no_gene_of_the_wanted_types_is_an_error(join):
    with pytest.raises(InputError, match=r"corpus\.gene_types"):
        join(BATCH, gene_types=["snRNA"])


def test_no_sample_left_is_an_error(join):
    with pytest.raises(InputError, match="no sample is left"):
        join(part("SRP1", {}))


def test_counts_are_written_exactly_and_with_equal_bytes(join, written, tmp_path):
    corpus = join(BATCH, USER)
    back, _ = written(corpus, "one")
    written(corpus, "two")
    assert (tmp_path / "one.h5ad").read_bytes() == (tmp_path / "two.h5ad").read_bytes()
    assert back.X.dtype == np.int64
    assert back.obs["study"].tolist() == ["SRP2", "SRP2", "mine"]
    assert back.var["shared"].tolist() == [True, True, True, False]


def test_attributes_are_those_of_the_part_that_a_kept_sample_is_in(tmp_path):
    tables = [[("b", "sex", "F"), ("x", "sex", "M"), ("b", "age", "old")], [("x", "sex", "?"), ("b", "sex", "M")]]
    paths = [tmp_path / f"{number}.parquet" for number in (1, 2)]
    for path, rows in zip(paths, tables, strict=True):
        write_table(pd.DataFrame(rows, columns=["sample", "key", "value"]), path)
    join_attributes(paths, [pd.Series(["a", "b"]), pd.Series(["x"])], tmp_path / "all.parquet")
    found = read_table(tmp_path / "all.parquet").to_numpy().tolist()
    assert found == [["b", "sex", "F"], ["b", "age", "old"], ["x", "sex", "?"]]


def test_no_attributes_are_a_table_of_no_rows(tmp_path):
    join_attributes([], [], tmp_path / "all.parquet")
    assert read_table(tmp_path / "all.parquet").columns.tolist() == ["sample", "key", "value"]


STUDIES = [f"SRP{number:04d}" for number in range(400)]
SHARES = {"pretrain": 0.5, "scout": 0.2, "validation": 0.1, "test": 0.2}


def split(studies, roles=None, shares=SHARES, seed=0):
    table = split_studies(studies, {"default": {"roles": roles or {}, "shares": shares, "seed": seed}}, 7)
    return table.set_index("study")["role"]


def test_roles_follow_the_shares():
    found = split(STUDIES).value_counts(normalize=True)
    for role, share in SHARES.items():
        assert found[role] == pytest.approx(share, abs=0.06)


def test_adding_studies_moves_no_other():
    assert split(STUDIES)[STUDIES[:200]].equals(split(STUDIES[:200]))


def test_roles_that_are_given_are_kept_and_move_no_other():
    given = split(STUDIES, roles={"SRP0003": "test", "SRP0004": "scout"})
    assert given[["SRP0003", "SRP0004"]].tolist() == ["test", "scout"]
    assert given.drop(["SRP0003", "SRP0004"]).equals(split(STUDIES).drop(["SRP0003", "SRP0004"]))


def test_another_seed_draws_other_studies():
    assert not split(STUDIES).equals(split(STUDIES, seed=1))


def test_a_role_that_stays_empty_is_named():
    with pytest.raises(InputError, match=r"corpus\.splits\.default\.shares\.scout"):
        split(["SRP1"], roles={"SRP1": "test"}, shares={"scout": 1.0})


def test_a_study_that_is_not_in_the_corpus_is_named():
    with pytest.raises(InputError, match=r"corpus\.splits\.default\.roles\.SRP9"):
        split(STUDIES, roles={"SRP9": "test"})


def test_a_study_without_role_and_shares_is_named():
    with pytest.raises(InputError, match=r"study SRP2 has no role"):
        split(["SRP1", "SRP2"], roles={"SRP1": "test"}, shares={})
