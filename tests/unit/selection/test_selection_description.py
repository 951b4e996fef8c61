"""Stability, coverage and costs of choices, on cases that can be counted by hand."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.network.graph import graph_from_edges
from scarceseq.selection.description import costs, coverage, neighbour_weights
from scarceseq.selection.settings import BudgetSettings, StabilitySettings
from scarceseq.selection.stability import overlap, remove, rewire, stability

GENES = [f"G{index:02d}" for index in range(30)]


@pytest.fixture
def graph():
    generator = np.random.default_rng(1)
    pairs = {tuple(pair) for pair in generator.integers(30, size=(200, 2)) if pair[0] != pair[1]}
    rows = [(GENES[a], GENES[b], round(generator.uniform(0.1, 1), 2)) for a, b in sorted(pairs)]
    return graph_from_edges(pd.DataFrame(rows, columns=["source", "target", "weight"]))


def degrees(graph):
    linked = (graph.incoming != 0).astype(int)
    return np.asarray(linked.sum(axis=0)), np.asarray(linked.sum(axis=1))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_share_of_the_edges_is_removed_or_rewired_with_degrees_kept(graph, share):
    less, other = remove(graph, share, 3), rewire(graph, share, 3)
    assert less.incoming.nnz == graph.incoming.nnz - round(share * graph.incoming.nnz)
    assert ((less.incoming != 0).astype(int) > (graph.incoming != 0).astype(int)).nnz == 0
    assert other.incoming.nnz == graph.incoming.nnz
    for before, after in zip(degrees(graph), degrees(other), strict=True):
        np.testing.assert_array_equal(before, after)
    moved = ((other.incoming != 0).astype(int) > (graph.incoming != 0).astype(int)).nnz
    assert 0 < moved <= round(share * graph.incoming.nnz)
    np.testing.assert_allclose(np.sort(other.incoming.data), np.sort(graph.incoming.data))
    assert rewire(graph, share, 3).incoming.toarray().tolist() == other.incoming.toarray().tolist()


def test_overlap_is_the_mean_jaccard_similarity_of_all_pairs():
    orders = [["a", "b", "c"], ["b", "a", "d"], ["d", "e", "a"]]
    assert overlap(orders, 2) == pytest.approx((1 + 0 + 0) / 3)
    assert overlap(orders, 3) == pytest.approx((2 / 4 + 1 / 5 + 2 / 4) / 3)


def test_a_selector_without_randomness_ignores_the_seed_and_a_drawn_one_is_as_stable_as_chance(graph):
    settings = StabilitySettings(["reach@usage", "k_means"], 4, 0.1, [0.1, 0.5])
    table = stability(GENES[:24], GENES[24:], graph, settings, BudgetSettings([25, 50, 100], 4, model_seeds=1), 1, 5)
    assert set(table["budget"]) == {6, 12}  # the whole pool is always the same
    assert set(table["change"]) == {"seed", "pool", "edges removed", "edges rewired"}
    reach = table[table["selector"] == "reach@usage"].set_index(["change", "share", "budget"])["jaccard"]
    assert (reach["seed"] == 1).all()
    assert (reach["edges rewired"] < 1).all()
    assert reach["edges rewired", 0.5].mean() < reach["edges rewired", 0.1].mean()
    assert table["jaccard"].between(0, 1).all()
    assert table.loc[table["budget"] == 6, "random"].eq(6 / 42).all()
    again = stability(GENES[:24], GENES[24:], graph, settings, BudgetSettings([25, 50, 100], 4, model_seeds=1), 1, 5)
    pd.testing.assert_frame_equal(table, again)


def test_coverage_counts_what_the_first_genes_reach_of_what_the_pool_can():
    """By hand: edges B -> A, C -> A, C -> D, E -> D; the pool is A, D and Z, the test gene is T with a neighbour D."""
    edges = [("B", "A", 1.0), ("C", "A", 1.0), ("C", "D", 1.0), ("E", "D", 1.0), ("D", "T", 1.0), ("B", "T", 1.0)]
    graph = graph_from_edges(pd.DataFrame(edges, columns=["source", "target", "weight"]))
    splits = pd.DataFrame({"split": 0, "perturbation": list("ADZT"), "role": ["pool"] * 3 + ["test"]})
    order = {"selection_graph": "g", "selector": "s", "split": 0, "draw": 0, "round": 0, "rank": [1, 2, 3]}
    table = coverage(
        pd.DataFrame(order | {"gene": list("ADZ")}), splits, graph, BudgetSettings([34, 67, 100], 1, model_seeds=1), 1
    )
    # A reaches A, B, C; D reaches D, E and again C; Z, outside the graph, reaches itself
    assert table["nodes_reached"].tolist() == pytest.approx([3 / 6, 5 / 6, 1])
    # D's share of T's neighbours: 1 / sqrt(3) against 1 / sqrt(1) of B
    share = (1 / np.sqrt(3)) / (1 / np.sqrt(3) + 1)
    np.testing.assert_allclose(table["test_neighbours"], [0, share, share])
    assert neighbour_weights(graph, np.array(["T"]), np.array(["D", "B"])).sum() == pytest.approx(1)
    assert table["usage_reached"].is_monotonic_increasing
    assert table["usage_reached"].iloc[-1] == pytest.approx(1)


def test_costs_are_seconds_cycles_and_days():
    keys = {"selection_graph": ["g", "g", "g"], "selector": ["bald", "bald", "reach"]}
    tables = pd.DataFrame(keys | {"seconds": [1.0, 3.0, 0.5]})
    rankings = pd.DataFrame(keys | {"round": [0, 4, 0]})
    table = costs(tables, rankings, 30).set_index("selector")
    assert table.loc["bald"].drop("selection_graph").to_dict() == {
        "seconds": 2.0,
        "cycles": 5,
        "days": 150.0,
        "model_fits": 4,
    }
    assert table.loc["reach", "days"] == 30
    assert costs(tables, rankings, None)["days"].isna().all()
