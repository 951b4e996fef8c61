"""Graphs are built as defined: hand-computed similarities, errors that name the problem."""

import gzip

import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.files import write_table
from scarceseq.network.build import build_graph
from scarceseq.network.graph import graph_from_edges, read_graph
from scarceseq.network.kinds import corpus_coexpression

ANNOTATION = {"kind": "annotation", "gene_column": "gene", "term_column": "term", "min_jaccard": 0.1, "top_k": 20}
EDGES = {
    "kind": "edges",
    "source_column": "source",
    "target_column": "target",
    "weight_column": "weight",
    "min_weight": 0,
    "full_weight": 1,
    "directed": False,
}
COEXPRESSION = {"kind": "corpus_coexpression", "split": "default", "min_correlation": 0.5, "top_k": 20}


def write_pairs(path, pairs):
    pd.DataFrame(pairs, columns=["gene", "term"]).to_csv(path, sep="\t", index=False)
    return {"table": path}


def weights(edges):
    return {(row.source, row.target): row.weight for row in edges.itertuples()}


def test_jaccard_weights_equal_those_counted_by_hand(tmp_path):
    pairs = [("A", "t1"), ("A", "t2"), ("B", "t2"), ("B", "t3"), ("C", "t1"), ("C", "t2"), ("D", "t9"), ("A", "t1")]
    edges, summary = build_graph("g", ANNOTATION, write_pairs(tmp_path / "a.tsv", pairs))
    # A = {1, 2}, B = {2, 3}, C = {1, 2}: A and C equal, A and B share one of three
    third = 1 / 3
    expected = {("A", "B"): third, ("A", "C"): 1.0, ("B", "C"): third}
    expected |= {(target, source): weight for (source, target), weight in expected.items()}
    assert weights(edges) == pytest.approx(expected)
    assert (summary["nodes"], summary["edges"]) == (3, 6)


def test_jaccard_equals_brute_force_and_keeps_the_strongest_sources_of_each_target(tmp_path):
    generator = np.random.default_rng(3)
    sets = {
        f"G{gene:02d}": set(generator.choice(12, size=generator.integers(1, 7), replace=False)) for gene in range(30)
    }
    pairs = [(gene, f"t{term}") for gene, terms in sets.items() for term in terms]
    edges, _ = build_graph("g", ANNOTATION | {"top_k": 4}, write_pairs(tmp_path / "a.csv.tsv", pairs))
    for target, terms in sets.items():
        others = {g: len(terms & other) / len(terms | other) for g, other in sets.items() if g != target}
        ranked = sorted((-value, gene) for gene, value in others.items() if value > 0.1)[:4]
        found = edges[edges["target"] == target]
        assert weights(found) == pytest.approx({(gene, target): -value for value, gene in ranked})


def test_drawn_ties_keep_the_same_weights_make_no_hubs_and_do_not_depend_on_other_genes(tmp_path):
    alike = [f"G{gene:03d}" for gene in range(200)]
    inputs = write_pairs(tmp_path / "a.tsv", [(gene, "t") for gene in alike] + [("A", "u"), ("B", "u"), ("B", "t")])
    settings = ANNOTATION | {"top_k": 10}
    first, _ = build_graph("g", settings, inputs)
    drawn, _ = build_graph("g", settings | {"ties": "drawn"}, inputs)
    for edges in (first, drawn):
        assert (edges["target"].value_counts()[alike] == 10).all()
        assert (edges.loc[edges["target"].isin(alike), "weight"] == 1).all()
    assert first["source"].value_counts()["G000"] == 200
    # each of 200 targets draws 10 of 199 sources: binomial, mean 10, standard deviation 3.1
    out_degrees = drawn["source"].value_counts()[alike]
    assert out_degrees.between(1, 25).all()
    assert 2 < out_degrees.std() < 4.2
    fewer = write_pairs(tmp_path / "b.tsv", [(gene, "t") for gene in alike])
    again, _ = build_graph("g", settings | {"ties": "drawn"}, fewer)
    pd.testing.assert_frame_equal(again, drawn[drawn["target"].isin(alike)].reset_index(drop=True))
    other, _ = build_graph("g", settings | {"ties": "drawn"}, fewer, seed=1)
    assert set(weights(other)) != set(weights(again))


def test_terms_that_are_excluded_or_of_too_many_genes_link_nothing(tmp_path):
    pairs = [("A", "root"), ("B", "root"), *((gene, "wide") for gene in "ABCD"), ("C", "own"), ("D", "own")]
    inputs = write_pairs(tmp_path / "a.tsv", pairs)
    edges, summary = build_graph("g", ANNOTATION | {"excluded_terms": ["root"], "max_genes_per_term": 3}, inputs)
    assert weights(edges) == {("C", "D"): 1.0, ("D", "C"): 1.0}
    assert summary["provenance"]["counts"]["terms"] == 1
    with pytest.raises(InputError, match="what is left out of the terms"):
        build_graph("g", ANNOTATION | {"excluded_terms": ["root", "wide", "own"]}, inputs)


def test_gene_sets_and_a_table_of_the_same_pairs_give_one_graph(tmp_path):
    pairs = [("A", "t1"), ("B", "t1"), ("B", "t2"), ("C", "t2")]
    with gzip.open(tmp_path / "sets.gmt.gz", "wt") as handle:
        handle.write("t1\tfirst\tA,1.0\tB,1.0\nt2\tsecond\tB\tC\n")
    from_table, _ = build_graph("g", ANNOTATION, write_pairs(tmp_path / "a.tsv", pairs))
    from_sets, _ = build_graph("g", ANNOTATION, {"table": tmp_path / "sets.gmt.gz"})
    pd.testing.assert_frame_equal(from_table, from_sets)


def test_a_list_of_genes_limits_the_graph(tmp_path):
    inputs = write_pairs(tmp_path / "a.tsv", [("A", "t"), ("B", "t"), ("C", "t")])
    (tmp_path / "genes.txt").write_text("A\nC\n")
    edges, _ = build_graph("g", ANNOTATION, inputs | {"restriction": tmp_path / "genes.txt"})
    assert set(edges["source"]) == {"A", "C"}


def test_links_without_direction_go_both_ways_and_the_heaviest_of_parallel_ones_counts(tmp_path):
    table = pd.DataFrame(
        {"source": ["A", "B", "B", "C"], "target": ["B", "A", "C", "C"], "weight": [400, 900, 150, 1000]}
    )
    write_table(table, tmp_path / "links.tsv")
    settings = EDGES | {"min_weight": 200, "full_weight": 1000}
    edges, _ = build_graph("g", settings, {"table": tmp_path / "links.tsv"})
    assert weights(edges) == pytest.approx({("A", "B"): 0.9, ("B", "A"): 0.9})
    edges, _ = build_graph("g", settings | {"directed": True}, {"table": tmp_path / "links.tsv"})
    assert weights(edges) == pytest.approx({("A", "B"): 0.4, ("B", "A"): 0.9})


@pytest.mark.parametrize(
    ("weight", "settings", "message"),
    [
        ("-0.5", {}, "row 1.*not positive"),
        ("many", {}, "weight 'many' .*is no number"),
        ("0,5", {}, "decimal comma"),
        ("NA", {}, "not a finite number"),
        ("0.5", {"source_column": "from"}, "no column 'from'"),
        ("0.5", {"min_weight": 0.9}, "no edges"),
        ("700", {}, "full_weight"),
    ],
)
def test_an_unusable_edge_table_is_refused_by_name(tmp_path, weight, settings, message):
    pd.DataFrame({"source": ["A"], "target": ["B"], "weight": [weight]}).to_csv(
        tmp_path / "e.tsv", sep="\t", index=False
    )
    with pytest.raises(InputError, match=message):
        build_graph("g", EDGES | settings, {"table": tmp_path / "e.tsv"})


def test_an_annotation_in_which_no_genes_share_terms_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"graph 'lonely'.*no edges"):
        build_graph("lonely", ANNOTATION, write_pairs(tmp_path / "a.tsv", [("A", "t1"), ("B", "t2")]))


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="annotation, control_coexpression, corpus_coexpression, edges"):
        build_graph("g", {"kind": "astrology"}, {})


def test_a_written_graph_reads_back_with_sources_in_columns(tmp_path):
    edges = pd.DataFrame({"source": ["A", "C"], "target": ["B", "B"], "weight": [0.5, 1.0]})
    write_table(edges, tmp_path / "g.parquet")
    graph = read_graph(tmp_path / "g.parquet")
    assert list(graph.nodes) == ["A", "B", "C"]
    assert graph.incoming.toarray().tolist() == [[0, 0, 0], [0.5, 0, 1.0], [0, 0, 0]]
    assert list(graph.positions(["C", "unknown"])) == [2, -1]


def test_self_pairs_do_not_count():
    with pytest.raises(InputError, match=r"without self pairs.*no edges"):
        graph_from_edges(pd.DataFrame({"source": ["A"], "target": ["A"], "weight": [1.0]}))


@pytest.fixture
def corpus(tmp_path):
    """Corpus of three studies: X and Y move together within studies, Z only between them."""
    generator = np.random.default_rng(5)
    study = np.repeat(["one", "two", "held_out"], 20)
    level = np.repeat([0.0, 4.0, 9.0], 20)
    within = generator.normal(size=60)
    noise = generator.normal(size=(60, 4))
    columns = {"X": within + level, "Y": within + 0.2 * noise[:, 0] + level, "Z": noise[:, 1] + level, "W": noise[:, 2]}
    matrix = np.column_stack([*columns.values(), 0.01 * noise[:, 3] - 5]).astype(np.float16)
    np.save(tmp_path / "training.npy", matrix)
    genes = pd.DataFrame({"gene_id": list("abcde"), "gene_name": ["X", "Y", "Z", "W", "X"]})
    splits = {"split": "default", "study": ["one", "two", "held_out"], "role": ["pretrain", "scout", "test"]}
    tables = {
        "genes.parquet": genes,
        "samples.parquet": pd.DataFrame({"study": study}),
        "splits.tsv": pd.DataFrame(splits),
    }
    for name, table in tables.items():
        write_table(table, tmp_path / name)
    return {"training": tmp_path / "training.npy"} | {name.split(".")[0]: tmp_path / name for name in tables}


def test_coexpression_is_that_within_studies_and_of_the_most_expressed_gene_of_a_symbol(corpus):
    edges, summary = build_graph("g", COEXPRESSION, corpus)
    values = np.load(corpus["training"])[:40].astype(float)
    values[:20] -= values[:20].mean(axis=0)
    values[20:] -= values[20:].mean(axis=0)
    expected = abs(np.corrcoef(values[:, 0], values[:, 1])[0, 1])
    assert weights(edges) == pytest.approx({("X", "Y"): expected, ("Y", "X"): expected}, abs=2e-6)
    assert summary["provenance"]["counts"] == {"samples": 40, "studies": 2, "genes": 4}


def test_coexpression_does_not_see_test_studies(corpus):
    before, _ = build_graph("g", COEXPRESSION, corpus)
    matrix = np.load(corpus["training"])
    matrix[40:] = np.random.default_rng(0).permutation(matrix[40:].ravel()).reshape(20, -1)
    np.save(corpus["training"], matrix)
    after, _ = build_graph("g", COEXPRESSION, corpus)
    pd.testing.assert_frame_equal(before, after)


def test_a_split_without_training_studies_is_refused(corpus):
    with pytest.raises(InputError, match="split 'other'"):
        build_graph("g", COEXPRESSION | {"split": "other"}, corpus)


def test_real_annotation_gives_the_degrees_of_the_gears_construction(shared_data, tmp_path):
    """Oracle: the GEARS graph has 20 sources for over 95% of its genes."""
    table = pd.read_csv(shared_data / "perturb/graphs/go_direct.csv.gz", usecols=["symbol", "go_id"], dtype=str)
    chosen = sorted(table["symbol"].dropna().unique())[::6]
    (tmp_path / "genes.txt").write_text("\n".join(chosen))
    inputs = {"table": shared_data / "perturb/graphs/go_direct.csv.gz", "restriction": tmp_path / "genes.txt"}
    edges, summary = build_graph("go", ANNOTATION | {"gene_column": "symbol", "term_column": "go_id"}, inputs)
    assert (edges.groupby("target").size() == 20).mean() > 0.8
    assert summary["in_degree"]["max"] == 20
    assert edges["weight"].between(0.1, 1, inclusive="right").all()


def test_of_many_samples_some_are_drawn_by_turns_from_each_study():
    samples = pd.DataFrame({"sample": [f"s{n}" for n in range(40)], "study": ["large"] * 30 + ["small"] * 10})
    drawn = corpus_coexpression.by_turns(samples, 24)
    assert samples["study"].iloc[drawn].value_counts().to_dict() == {"large": 14, "small": 10}
    assert np.array_equal(drawn, np.unique(drawn))
    assert np.array_equal(corpus_coexpression.by_turns(samples, 40), np.arange(40))
    shuffled = samples.sample(frac=1, random_state=1)
    again = corpus_coexpression.by_turns(shuffled, 24)
    assert set(shuffled["sample"].iloc[again]) == set(samples["sample"].iloc[drawn]), "the order of rows is no matter"
