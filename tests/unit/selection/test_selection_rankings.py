"""Rankings: greedy by definition, ties by the declared rule, the whole pool, nested, bad input refused."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scarceseq import registry
from scarceseq.config import selector_names
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.selection.budgets import budget_sizes
from scarceseq.selection.evidence import Evidence
from scarceseq.selection.pool import tie_order
from scarceseq.selection.rankings import rank_perturbations
from scarceseq.selection.selector import ranker

ONE_HOP = SimpleNamespace(hops=1, random_draws=3)
EVERY = registry.names("selection.selectors")
SELECTORS = selector_names.one_shot()


def needs_graph(name):
    return bool(selector_names.declared(name, "NEEDS"))


GRAPH_SELECTORS = [name for name in SELECTORS if needs_graph(name)]
SEEDED = ("k_means", "typiclust")  # start their clustering from the seed


def rank(name, pool, graph=None, **options):
    evidence = Evidence(ONE_HOP, graph, ("G01", "G03"), (graph,) if graph else ())
    return ranker(name)(pool, evidence, **options)


# in-edges: A <- B, C; D <- C, E; B <- A
SMALL = [("B", "A", 0.5), ("C", "A", 0.5), ("C", "D", 0.5), ("E", "D", 1.0), ("A", "B", 0.2)]


def make_graph(edges):
    return graph_from_edges(pd.DataFrame(edges, columns=["source", "target", "weight"]))


def random_graph(seed, genes=30, edges=120):
    generator = np.random.default_rng(seed)
    pairs = {tuple(pair) for pair in generator.integers(genes, size=(edges, 2)) if pair[0] != pair[1]}
    return make_graph([(f"G{a:02d}", f"G{b:02d}", round(generator.uniform(0.1, 1), 2)) for a, b in sorted(pairs)])


def test_degree_counts_distinct_neighbours_in_either_direction():
    order, gains = rank("degree", ["A", "B", "C", "D", "Z"], make_graph(SMALL))
    # A: B, C; C: A, D; D: C, E; B: A. Weight at D 1.5, A 1.2, C 1.0
    assert order.tolist() == ["D", "A", "C", "B", "Z"]
    assert gains.tolist() == [2, 2, 2, 1, 0]


def test_pagerank_is_that_of_networkx():
    networkx = pytest.importorskip("networkx")
    graph = random_graph(6)
    edges = networkx.DiGraph()
    rows = graph.incoming.tocoo()
    edges.add_weighted_edges_from(
        (graph.nodes[source], graph.nodes[target], weight)
        for target, source, weight in zip(rows.row, rows.col, rows.data, strict=True)
    )
    expected = networkx.pagerank(edges, alpha=0.85, tol=1e-12, max_iter=500)
    order, gains = rank("pagerank", [*graph.nodes, "outside"], graph)
    assert order[-1] == "outside"
    np.testing.assert_allclose(gains[:-1] / len(graph.nodes), [expected[gene] for gene in order[:-1]], atol=1e-6)
    assert (np.diff(gains) <= 0).all()


def test_ties_go_to_the_larger_sum_of_weights_and_then_to_the_symbol():
    graph = make_graph([("A", "B", 0.5), ("C", "D", 0.5), ("E", "F", 0.9)])
    genes = np.array(list("ABCDEFZ"), dtype=object)
    assert genes[tie_order(genes, graph)].tolist() == ["E", "F", "A", "B", "C", "D", "Z"]


@pytest.mark.parametrize("name", GRAPH_SELECTORS)
@pytest.mark.parametrize("seed", range(3))
def test_graph_rankings_are_permutations_that_ignore_seed_and_order_of_the_pool(name, seed):
    graph = random_graph(seed)
    pool = [*graph.nodes[::2], "elsewhere1", "elsewhere2"]
    order, gains = rank(name, pool, graph, seed=1)
    again, same = rank(name, np.random.default_rng(seed).permutation(pool), graph, seed=1 if name in SEEDED else 2)
    assert sorted(order) == sorted(pool)
    assert order.tolist() == again.tolist()
    np.testing.assert_array_equal(gains, same)


def test_random_draws_differ_and_are_set_by_the_seed():
    pool = [f"G{index}" for index in range(40)]
    first, gains = rank("random", pool, seed=1)
    assert first.tolist() == rank("random", pool[::-1], seed=1)[0].tolist()
    assert first.tolist() != rank("random", pool, seed=2)[0].tolist()
    assert np.isnan(gains).all()


@pytest.mark.parametrize("name", SELECTORS)
@pytest.mark.parametrize(
    ("pool", "options", "message"),
    [
        ([], {}, "empty"),
        (["G01", "G02", "G01"], {}, "G01 is in the pool twice"),
        (["G01", "G02"], {"budget": 3}, "a budget of 3 of a pool of 2 genes"),
        (["G01", "G02"], {"budget": 0}, "a budget of 0"),
        (["G01", "G02"], {"labelled": ["G02"]}, "G02 is in the pool, but was measured already"),
    ],
)
def test_an_unusable_pool_is_refused(name, pool, options, message):
    graph = random_graph(0) if needs_graph(name) else None
    with pytest.raises(InputError, match=message):
        rank(name, pool, graph, **options)


@pytest.mark.parametrize("name", SELECTORS)
def test_rankings_are_nested_and_leave_out_what_was_measured(name):
    graph = random_graph(3)
    pool, labelled = graph.nodes[:20], graph.nodes[20:24]
    given = graph if needs_graph(name) else None
    whole, gains = rank(name, pool, given, labelled=labelled, seed=7)
    assert sorted(whole) == sorted(pool)
    part, first = rank(name, pool, given, budget=6, labelled=labelled, seed=7)
    assert part.tolist() == whole[:6].tolist()
    np.testing.assert_array_equal(first, gains[:6])


@pytest.mark.parametrize("name", GRAPH_SELECTORS)
def test_disconnected_and_unknown_genes_are_ranked_like_others(name):
    """Three islands, a lone pair, and genes that the graph does not have."""
    islands = [(f"{a}{i}", f"{a}{j}", 0.5) for a in "ABC" for i in range(4) for j in range(4) if i != j]
    graph = make_graph([*islands, ("Y", "Z", 0.4), ("G01", "A0", 0.3), ("G03", "B0", 0.3)])
    pool = [*(f"{a}{i}" for a in "ABC" for i in range(4)), "Y", "unknown1", "unknown2"]
    order, gains = rank(name, pool, graph, seed=1)
    assert sorted(order) == sorted(pool)
    assert len(gains) == len(pool)
    assert not np.isinf(gains).any()
    measured, _ = rank(name, pool[1:-1], graph, labelled=[pool[0], "unknown2"], seed=1)
    assert sorted(measured) == sorted(pool[1:-1])


def test_a_gene_outside_the_graph_reaches_itself_alone():
    graph = make_graph(SMALL)
    order, gains = rank("reach", ["A", "Z"], graph)
    assert dict(zip(order, gains, strict=True)) == {"A": 3, "Z": 1}
    order, gains = rank("reach@usage", ["A", "Z"], graph)
    assert dict(zip(order, gains, strict=True))["Z"] == 1  # its own prediction leans on itself alone


@pytest.mark.parametrize("name", GRAPH_SELECTORS)
def test_a_graph_without_any_gene_of_the_pool_is_refused(name):
    with pytest.raises(InputError, match="none of the 2 genes of the pool is in the graph"):
        rank(name, ["x", "y"], random_graph(0))


@pytest.mark.parametrize("weight", [-0.1, np.nan, np.inf, 0.0])
def test_a_graph_with_a_weight_that_is_not_positive_is_refused(weight):
    with pytest.raises(InputError, match="weight"):
        make_graph([("A", "B", 0.5), ("B", "A", weight)])


@pytest.fixture
def splits():
    genes = [f"G{index:02d}" for index in range(20)]
    rows = [
        (split, gene, "test" if index % 5 == split else "pool") for split in (0, 1) for index, gene in enumerate(genes)
    ]
    return pd.DataFrame(rows, columns=["split", "perturbation", "role"])


def test_one_table_holds_every_split_and_draw_and_never_a_test_perturbation(splits):
    table, costs = rank_perturbations("s", ["random"], splits, None, (), ONE_HOP, 5)
    assert len(costs) == 6
    assert (costs["seconds"] > 0).all()
    assert table.groupby(["split", "draw"]).size().to_dict() == {(s, d): 16 for s in (0, 1) for d in range(3)}
    tests = splits[splits["role"] == "test"].groupby("split")["perturbation"].agg(set)
    assert all(not set(rows["gene"]) & tests[split] for split, rows in table.groupby("split"))
    assert (table.groupby(["split", "draw"])["rank"].agg(list).map(lambda ranks: ranks == list(range(1, 17)))).all()
    assert table.groupby(["split", "draw"])["gene"].agg(tuple).nunique() == 6


def test_more_draws_leave_the_first_ones_as_they_were(splits):
    few, _ = rank_perturbations("s", ["random"], splits, None, (), ONE_HOP, 5)
    many, _ = rank_perturbations("s", ["random"], splits, None, (), SimpleNamespace(hops=1, random_draws=5), 5)
    pd.testing.assert_frame_equal(few, many[many["draw"] < 3].reset_index(drop=True))


def test_of_selectors_that_share_a_job_those_run_that_need_a_graph_or_that_need_none(splits):
    graph, names = random_graph(0), ["random", "reach", "prior_only"]
    given, _ = rank_perturbations("s", names, splits, graph, (graph,), ONE_HOP, 5)
    without, _ = rank_perturbations("s", names, splits, None, (graph,), ONE_HOP, 5)
    assert set(given["selector"]) == {"reach"}
    assert set(without["selector"]) == {"random", "prior_only"}
    alone, _ = rank_perturbations("s", ["random"], splits, None, (), ONE_HOP, 5)
    pd.testing.assert_frame_equal(without[without["selector"] == "random"].reset_index(drop=True), alone)
    with pytest.raises(InputError, match="none of the selectors reach runs on no graph"):
        rank_perturbations("s", ["reach"], splits, None, (), ONE_HOP, 5)


def test_what_the_source_says_of_a_selector_is_what_the_module_says():
    for constant in ("NEEDS", "DRAWS", "START"):
        declared = {name: registry.declared("selection.selectors", name, constant, None) for name in EVERY}
        modules = {name: registry.load("selection.selectors", name) for name in EVERY}
        assert declared == {name: getattr(module, constant, None) for name, module in modules.items()}
    with pytest.raises(InputError, match=r"no entry 'guess'.*v_optimal"):
        needs_graph("guess")


def test_budgets_are_at_least_ten_at_most_the_pool_and_each_counts_once():
    percent = [5, 10, 20, 30, 50, 100]
    assert budget_sizes(120, percent, 10) == [10, 12, 24, 36, 60, 120]
    assert budget_sizes(20, percent, 10) == [10, 20]
    assert budget_sizes(6, percent, 10) == [6]
    assert budget_sizes(874, percent, 10) == [44, 87, 175, 262, 437, 874]
    assert budget_sizes(120, [50], 10, counts=[8, 10, 100, 121]) == [10, 60, 100]


@pytest.mark.parametrize("name", SELECTORS)
def test_parts_of_the_graph_that_no_edge_joins_and_genes_without_incoming_edges_are_ranked_too(name):
    ring = [(f"A{i}", f"A{(i + 1) % 6}", 0.5) for i in range(6)]
    star = [("B0", f"B{i}", 0.8) for i in range(1, 6)]  # no edge leads to B0
    graph = make_graph([*ring, *star])
    evidence = Evidence(ONE_HOP, graph, ("A0", "B1"), (graph,))
    pool = [gene for gene in graph.nodes if gene not in evidence.tests]
    order, gains = ranker(name)(pool, evidence, seed=3)
    assert sorted(order) == sorted(pool)
    assert not np.isinf(gains).any()
    assert {gene[0] for gene in order[:6]} == {"A", "B"} or name in ("degree", "pagerank", "random")
