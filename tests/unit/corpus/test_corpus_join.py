"""Joining corpora of two organisms. Oracles: pairs counted one by one; values worked out by hand."""

import itertools
import math

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.archive.counts import SAMPLE_COLUMNS, write_counts
from scarceseq.archive.settings import UserStudySettings
from scarceseq.archive.tables import read_annotation
from scarceseq.archive.user_study import import_study
from scarceseq.corpus import merge, store
from scarceseq.corpus.orthologues import OrthologueTable
from scarceseq.corpus.splits import split_studies
from scarceseq.errors import InputError

MOUSE = pd.DataFrame(
    {"gene_name": ["Aa", "Bb", "Cc", "Dd"], "gene_type": "protein_coding", "bp_length": [100, 200, 300, 400]},
    index=["M1.4", "M2.1", "M3.1", "M4.1"],
)
HUMAN = pd.DataFrame(
    {"gene_name": ["BB", "AA", "CC", "XX"], "gene_type": "lncRNA", "bp_length": [1000, 50, 20, 7]},
    index=["H2.9", "H1.1", "H3.3", "H9.1"],
)
PAIRS = "mouse\thuman\nM1\tH1.1\nM2.5\tH2\nM3\tH3\nM3\tH8\nM7\tH9\nM4\t\n"


@pytest.fixture
def table(tmp_path):
    """Function that writes a table of pairs and describes it."""

    def write(text=PAIRS, **changed):
        (tmp_path / "pairs.tsv").write_text(text)
        settings = {"table": str(tmp_path / "pairs.tsv"), "columns": {"mouse": "mouse", "human": "human"}}
        return OrthologueTable(**settings | {"gene_id_type": "ensembl"} | changed)

    return write


@pytest.fixture
def file(tmp_path):
    """Function that writes a batch, a user's study or a corpus, and returns its path."""
    number = itertools.count()

    def write(organism, rows, genes, measured=True, source="sra", corpus=False):
        names = [name for _, name in rows]
        samples = pd.DataFrame({"study": [study for study, _ in rows], "runs": names}, index=names)
        samples = samples.assign(organism=organism, source=source, unit="base_coverage", auc=1.0, mapped_reads=1.0)
        samples = samples.assign(average_mapped_length=50.0)[SAMPLE_COLUMNS]
        genes = genes.assign(**{"shared" if corpus else "measured": measured})
        path = tmp_path / f"file{next(number)}.h5ad"
        counts = np.array(list(rows.values()), dtype=np.int64).reshape(len(rows), len(genes))
        write_counts(counts, samples, genes, path)
        return path

    return write


@pytest.fixture
def mouse(file):
    return file("mouse", {("SRP1", "m1"): [10, 20, 30, 40], ("SRP2", "m2"): [1, 0, 5, 2**53 + 1]}, MOUSE)


@pytest.fixture
def human(file):
    rows = {("SRP1", "h1"): [500, 25, 3, 4], ("airway", "h2"): [0, 2**60 + 1, 7, 9]}
    return file("human", rows, HUMAN, corpus=True)


def test_only_one_to_one_pairs_of_known_genes_are_used_and_every_pair_is_told(table):
    places, pairs = table().match("mouse", MOUSE, "human", HUMAN)
    assert places.tolist() == [1, 0, -1, -1]
    assert pairs.to_numpy().tolist() == [
        ["human", "M1.4", "H1.1", "used"],
        ["human", "M2.1", "H2.9", "used"],
        ["human", "M3.1", "H3.3", "one_to_many"],
        ["human", "M3.1", "H8", "one_to_many"],
        ["human", "M7", "H9.1", "unknown_in_mouse"],
    ]


@pytest.mark.parametrize("seed", range(8))
def test_use_of_pairs_is_what_counting_partners_one_by_one_says(table, seed):
    generator = np.random.default_rng(seed)
    text = [(f"M{a}", f"H{b}") for a, b in generator.integers(1, 12, (14, 2))]
    made = table("mouse\thuman\n" + "\n".join("\t".join(pair) for pair in text) + "\n")
    genes = [pd.DataFrame({"gene_name": "x"}, index=[f"{kind}{n}.{n}" for n in range(1, 10)]) for kind in "MH"]
    try:
        places, pairs = made.match("mouse", genes[0], "human", genes[1])
    except InputError:
        places, pairs = np.full(9, -1), None
    expected, used = {}, np.full(9, -1)
    for a, b in sorted(set(text)):
        partners = [len({pair for pair in text if pair[side] == (a, b)[side]}) for side in (0, 1)]
        known = [int(name[1:]) < 10 for name in (a, b)]
        kinds = {(True, True): "many_to_many", (True, False): "one_to_many", (False, True): "many_to_one"}
        unknown = "used" if all(known) else f"unknown_in_{'human' if known[0] else 'mouse'}"
        expected[a, b] = kinds.get((partners[0] > 1, partners[1] > 1), unknown)
        if expected[a, b] == "used":
            used[int(a[1:]) - 1] = int(b[1:]) - 1
    assert places.tolist() == used.tolist()
    if pairs is not None:
        bare = pairs[["gene", "orthologue"]].apply(lambda ids: ids.str.split(".").str[0])
        assert dict(zip(zip(bare["gene"], bare["orthologue"], strict=True), pairs["use"], strict=True)) == expected


def test_symbols_can_be_joined_too_and_ambiguous_ones_are_not(table):
    twins = HUMAN.assign(gene_name=["BB", "AA", "CC", "CC"])
    made = table("mouse\thuman\nAa\tAA\nCc\tCC\n", gene_id_type="symbol")
    places, pairs = made.match("mouse", MOUSE, "human", twins)
    assert places.tolist() == [1, -1, -1, -1]
    assert pairs["use"].tolist() == ["used", "unknown_in_human"]


@pytest.mark.parametrize(
    ("text", "changed", "words"),
    [
        (PAIRS, {"columns": {"mouse": "mouse", "human": "man"}}, "no column 'man'; the table has mouse, human"),
        (PAIRS, {"columns": {"mouse": "mouse"}}, "no column is named for human"),
        (PAIRS, {"columns": {"mouse": "mouse", "human": "mouse"}}, "'mouse' is named for both mouse and human"),
        (PAIRS, {"columns": {"mouse": "human", "human": "mouse"}}, r"joins no gene of mouse .*unknown_in_mouse"),
        (PAIRS, {"table": "no/such/table.tsv"}, "cannot be read as a table"),
        ("mouse\thuman\n", {}, "has no rows"),
        ("mouse\thuman\nM1\tH1\nH1\tM2\n", {}, "has H1 both as a gene of mouse"),
        ("mouse\thuman\nM1\tH1\nM1\tH2\nM2\tH1\n", {}, "joins no gene"),
    ],
)
def test_a_table_that_cannot_join_is_named_with_the_reason(table, text, changed, words):
    with pytest.raises(InputError, match=words):
        table(text, **changed).match("mouse", MOUSE, "human", HUMAN)


def test_pairs_that_stand_twice_count_once(table):
    _, pairs = table("mouse\thuman\nM1\tH1\nM1.7\tH1.2\n").match("mouse", MOUSE, "human", HUMAN)
    assert pairs["use"].tolist() == ["used"]


def joined(paths, human, orthologues, **options):
    return merge.merge(paths, [], [], merge.OtherCorpora([human], orthologues, **options))


def test_each_organism_has_its_own_gene_lengths_and_tpm_is_over_the_pairs(mouse, human, table, tmp_path):
    """Two pairs: A of 100 and 50 bases, B of 200 and 1,000. Of h1, A has 25 / 50 and B 500 / 1000: half each."""
    corpus = joined([mouse], human, table())
    store.write_corpus(corpus, tmp_path / "corpus.h5ad", tmp_path / "training.npy")
    assert corpus.genes["shared"].tolist() == [True, True, False, False]
    assert corpus.genes["bp_length"].tolist() == [100, 200, 300, 400]
    assert corpus.genes["human_gene_id"].tolist() == ["H1.1", "H2.9", "", ""]
    assert corpus.genes["human_bp_length"].tolist()[:2] == [50, 1000]
    training = dict(zip(corpus.samples.index, np.load(tmp_path / "training.npy").astype(float), strict=True))
    half, all_of_it = math.log2(5e5 + 1), math.log2(1e6 + 1)
    for name, values in {"m1": [half, half], "m2": [all_of_it, 0], "h1": [half, half], "h2": [all_of_it, 0]}.items():
        np.testing.assert_allclose(training[name], values, rtol=2**-11)


def test_what_tpm_divides_by_is_of_the_lengths_of_the_organism(mouse, human, table):
    rate_sum = merge.sample_table(joined([mouse], human, table())).set_index("sample")["rate_sum"]
    expected = {"m1": 10 / 100 + 20 / 200, "m2": 1 / 100, "h1": 25 / 50 + 500 / 1000, "h2": (2**60 + 1) / 50}
    assert rate_sum.to_dict() == pytest.approx(expected, rel=1e-12)


def test_counts_of_both_organisms_stay_exact_and_genes_without_a_pair_are_zero(mouse, human, table, tmp_path):
    corpus = joined([mouse], human, table())
    store.write_corpus(corpus, tmp_path / "corpus.h5ad", tmp_path / "training.npy")
    back = anndata.read_h5ad(tmp_path / "corpus.h5ad")
    counts = dict(zip(back.obs_names, back.X.tolist(), strict=True))
    assert counts == {
        "m1": [10, 20, 30, 40],
        "m2": [1, 0, 5, 2**53 + 1],
        "h1": [25, 500, 0, 0],
        "h2": [2**60 + 1, 0, 0, 0],
    }
    assert corpus.figures["library_size"].tolist() == [sum(counts[name][:2]) for name in corpus.samples.index]


def test_one_accession_in_two_organisms_is_two_studies(mouse, human, table):
    corpus = joined([mouse], human, table())
    samples = merge.sample_table(corpus)
    named = samples[["study", "organism", "sample"]].to_numpy().tolist()
    assert named == [
        ["SRP1", "mouse", "m1"],
        ["SRP2", "mouse", "m2"],
        ["human.SRP1", "human", "h1"],
        ["human.airway", "human", "h2"],
    ]
    settings = {"roles": {"SRP1": "test", "human.SRP1": "pretrain"}, "shares": {"scout": 1.0}, "seed": 0}
    roles = split_studies(samples["study"], {"default": settings}, 7).set_index("study")["role"].to_dict()
    assert roles == {"SRP1": "test", "SRP2": "scout", "human.SRP1": "pretrain", "human.airway": "scout"}


def test_joining_another_organism_moves_no_study_of_the_own(mouse, human, table):
    alone = merge.sample_table(merge.merge([mouse], [], []))["study"].unique().tolist()
    both = merge.sample_table(joined([mouse], human, table()))["study"].unique().tolist()
    assert both[: len(alone)] == alone


def test_the_order_of_files_decides_the_genes_and_nothing_else(mouse, human, table):
    one = merge.merge([], [], [], merge.OtherCorpora([mouse, human], table()))
    other = merge.merge([], [], [], merge.OtherCorpora([human, mouse], table()))
    assert one.genes.index.tolist() == MOUSE.index.tolist()
    assert other.genes.index.tolist() == HUMAN.index.tolist()
    assert other.samples["study"].tolist() == ["SRP1", "airway", "mouse.SRP1", "mouse.SRP2"]
    pairs = [
        dict(zip(c.genes.index, c.genes[f"{o}_gene_id"], strict=True)) for c, o in ((one, "human"), (other, "mouse"))
    ]
    assert {(a, b) for a, b in pairs[0].items() if b} == {(b, a) for a, b in pairs[1].items() if b}


def test_duplicates_are_found_within_an_organism_and_names_are_not_confused_between_them(file, mouse, human, table):
    """h3 is h1 again; h4 has the counts of m1 in the pairs' genes: also one sample only, whatever it is called."""
    again = file("human", {("SRP7", "h3"): [500, 25, 3, 4], ("SRP8", "h1"): [7, 7, 7, 7]}, HUMAN, corpus=True)
    corpus = merge.merge([mouse], [], [], merge.OtherCorpora([human, again], table()))
    assert corpus.dropped.to_numpy().tolist() == [
        ["human.SRP7", "h3", "duplicate_content", "h1"],
        ["human.SRP8", "h1", "duplicate_sample", "h1"],
    ]


def test_a_sample_name_in_two_organisms_is_an_error(file, mouse, table):
    other = file("human", {("SRP5", "m1"): [1, 2, 3, 4]}, HUMAN, corpus=True)
    with pytest.raises(InputError, match=r"SRP1 and human\.SRP5 both have a sample m1"):
        joined([mouse], other, table())


def test_a_study_from_two_sources_is_an_error(file, mouse):
    own = file("mouse", {("SRP1", "mine")[:2]: [1, 2, 3, 4]}, MOUSE, source="user")
    with pytest.raises(InputError, match="study SRP1 comes from two sources, sra and user"):
        merge.merge([mouse, own], [], [])


def test_studies_named_as_excluded_are_not_taken_from_another_runs_corpus(mouse, human, table):
    corpus = joined([mouse], human, table(), excluded_studies=["SRP1"])
    assert corpus.samples.index.tolist() == ["m1", "m2", "h2"]
    assert corpus.dropped.to_numpy().tolist() == [["human.SRP1", "h1", "study_excluded", None]]


def test_a_corpus_in_which_a_gene_was_not_shared_does_not_share_it(file, mouse, table):
    other = file("human", {("S", "h1"): [1, 2, 3, 4]}, HUMAN, measured=[False, True, True, True], corpus=True)
    assert joined([mouse], other, table()).genes["shared"].tolist() == [True, False, False, False]


def test_a_corpus_of_the_same_organism_needs_no_table(file, mouse):
    other = file("mouse", {("SRP9", "m9"): [4, 3, 2, 1]}, MOUSE.iloc[::-1], corpus=True)
    corpus = joined([mouse], other, None)
    assert corpus.samples["study"].tolist() == ["SRP1", "SRP2", "SRP9"]
    assert corpus.genes["shared"].all()
    assert corpus.pairs.empty


def test_another_organism_without_a_table_is_an_error(mouse, human):
    with pytest.raises(InputError, match=r"is of human, and the corpus of mouse; name a table .* corpus\.orthologues"):
        joined([mouse], human, None)


def test_a_joined_corpus_is_not_joined_again(mouse, human, table, tmp_path):
    corpus = joined([mouse], human, table())
    store.write_corpus(corpus, tmp_path / "corpus.h5ad", tmp_path / "training.npy")
    with pytest.raises(InputError, match=r"corpus.h5ad: holds human and mouse; join the corpora that it was made of"):
        merge.merge([], [], [], merge.OtherCorpora([tmp_path / "corpus.h5ad"], table()))


def test_a_batch_without_samples_leaves_the_organism_to_the_config(file, human, table):
    corpus = merge.merge([file("mouse", {}, MOUSE)], [], [], merge.OtherCorpora([human], table()), organism="mouse")
    assert corpus.genes.index.tolist() == MOUSE.index.tolist()
    assert corpus.samples["study"].tolist() == ["human.SRP1", "human.airway"]


def test_a_users_study_of_the_other_organism_is_joined_through_the_same_table(mouse, table, tmp_path):
    """Symbols of a human table become human genes, and these the mouse genes of their pairs; lengths stay human."""
    annotation = HUMAN.rename_axis("gene_id").reset_index()
    (tmp_path / "counts.tsv").write_text("gene\ts1\nAA\t25\nBB\t500\nCC\t1\nXX\t1\n")
    keys = {"gene_id_type": "symbol", "organism": "human", "min_protein_coding_share": 0.5}
    settings = UserStudySettings(name="airway", counts=str(tmp_path / "counts.tsv"), **keys)
    study = import_study(settings, annotation)
    write_counts(study.counts, study.samples, study.genes, tmp_path / "study.h5ad")
    corpus = merge.merge([mouse, tmp_path / "study.h5ad"], [], [], merge.OtherCorpora([], table()))
    store.write_corpus(corpus, tmp_path / "corpus.h5ad", tmp_path / "training.npy")
    assert corpus.samples["study"].tolist() == ["SRP1", "SRP2", "human.airway"]
    np.testing.assert_allclose(np.load(tmp_path / "training.npy")[2], [math.log2(5e5 + 1)] * 2, rtol=2**-11)


def test_real_gene_ids_are_joined_with_and_without_versions(shared_data, tmp_path):
    """Genes of the real annotations paired by their place, which is no biology, but gives the expected answer."""
    folder, kind = shared_data / "bulk/recount3_real", "annotations/gene_sums"
    mouse = folder / f"mouse_SRP081192_reconstructed_mirror/recount3/mouse/{kind}/mouse.gene_sums.M023.gtf.gz"
    human = folder / f"human_moseley_trimmed_mirror/recount3/human/{kind}/human.gene_sums.G026.gtf.gz"
    mouse, human = (read_annotation(path).set_index("gene_id") for path in (mouse, human))
    pairs = pd.DataFrame({"Gene stable ID": human.index, "Mouse gene stable ID": mouse.index[: len(human)]})
    pairs["Mouse gene stable ID"] = pairs["Mouse gene stable ID"].str.split(".").str[0]
    pairs.to_csv(tmp_path / "pairs.csv.gz", index=False)
    columns = {"mouse": "Mouse gene stable ID", "human": "Gene stable ID"}
    made = OrthologueTable(str(tmp_path / "pairs.csv.gz"), columns, "ensembl")
    places, told = made.match("mouse", mouse, "human", human)
    assert places[: len(human)].tolist() == list(range(len(human)))
    assert (places[len(human) :] == -1).all()
    assert len(told) == len(human) > 1900
    assert set(told["use"]) == {"used"}
