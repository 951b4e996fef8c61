"""Rankings: greedy by definition, ties by the declared rule, the whole pool, nested, bad input refused."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.selection.budgets import budget_sizes
from scarceseq.selection.cover import lazy_greedy
from scarceseq.selection.pool import QUANTUM, check_pool, quantise, tie_order
from scarceseq.selection.rankings import rank_perturbations
from scarceseq.selection.reach import reach_balls, usage

ONE_HOP = SimpleNamespace(hops=1, random_draws=3)
SELECTORS = registry.names("selection.selectors")


def needs_graph(name):
    return registry.declared("selection.selectors", name, "NEEDS_GRAPH")


GRAPH_SELECTORS = [name for name in SELECTORS if needs_graph(name)]


def load(name):
    return registry.load("selection.selectors", name)


def make_graph(edges):
    return graph_from_edges(pd.DataFrame(edges, columns=["source", "target", "weight"]))


def random_graph(seed, genes=30, edges=120):
    generator = np.random.default_rng(seed)
    pairs = {tuple(pair) for pair in generator.integers(genes, size=(edges, 2)) if pair[0] != pair[1]}
    return make_graph([(f"G{a:02d}", f"G{b:02d}", round(generator.uniform(0.1, 1), 2)) for a, b in sorted(pairs)])


def naive_greedy(balls, weights):
    """Oracle: every gain anew at every step, first candidate among equals, fresh cover when nothing is gained."""
    left, covered, order, gains, fresh = list(range(len(balls))), set(), [], [], True
    while left:
        gain = [sum(int(weights[node]) for node in set(balls[c]) - covered) for c in left]
        best = int(np.argmax(gain))
        if gain[best] == 0 and not fresh:
            covered, fresh = set(), True
            continue
        covered |= set(balls[left[best]])
        fresh = False
        order.append(left.pop(best))
        gains.append(gain[best])
    return order, gains


@st.composite
def covers(draw):
    nodes = draw(st.integers(1, 12))
    ball = st.lists(st.integers(0, nodes - 1), max_size=6, unique=True)
    balls = draw(st.lists(ball, min_size=1, max_size=14))
    weights = draw(st.lists(st.integers(0, 4), min_size=nodes, max_size=nodes))
    return [np.array(ball, dtype=int) for ball in balls], np.array(weights, dtype=np.int64)


@settings(max_examples=300, deadline=None)
@given(covers())
def test_lazy_greedy_takes_exactly_what_naive_greedy_takes(cover):
    order, gains = lazy_greedy(*cover)
    assert (order.tolist(), gains.tolist()) == naive_greedy(*cover)


@settings(max_examples=60, deadline=None)
@given(covers(), st.integers(1, 4))
def test_greedy_covers_at_least_the_share_that_theory_promises(cover, budget):
    balls, weights = cover
    order, gains = lazy_greedy(balls, weights)

    def covered(chosen):
        return sum(int(weights[node]) for node in set().union(*(set(balls[c]) for c in chosen)))

    budget = min(budget, len(balls))
    best = max(covered(chosen) for chosen in combinations(range(len(balls)), budget))
    assert covered(order[:budget]) >= (1 - 1 / np.e) * best
    saturated = next((step for step in range(1, len(gains)) if gains[step] > gains[step - 1]), len(gains))
    assert (np.diff(gains[:saturated]) <= 0).all()


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="negative"):
        lazy_greedy([np.array([0])], np.array([-1]))


# in-edges: A <- B, C; D <- C, E; B <- A
SMALL = [("B", "A", 0.5), ("C", "A", 0.5), ("C", "D", 0.5), ("E", "D", 1.0), ("A", "B", 0.2)]


def test_balls_follow_edges_backwards():
    graph = make_graph(SMALL)
    named = [*graph.nodes, "outside"]
    one = reach_balls(np.array(["A", "B", "D", "Z"], dtype=object), graph, 1)
    assert [{named[min(node, 5)] for node in ball} for ball in one] == [set("ABC"), set("AB"), set("CDE"), {"outside"}]
    two = reach_balls(np.array(["B"], dtype=object), graph, 2)
    assert {named[node] for node in two[0]} == set("ABC")
    assert set(one[3]) == {len(graph.nodes) + 3}


def test_plain_reach_on_a_graph_done_by_hand():
    graph = make_graph(SMALL)
    order, gains = load("reach").rank(["B", "A", "E", "D", "Z"], graph, 0, ONE_HOP)
    # A reaches A, B, C and D reaches C, D, E: a tie, D has more weight at it (1.5 to 1.2). Then A adds A, B; Z itself.
    # Nothing new is left: a fresh cover in which B reaches A, B, then E itself.
    assert order.tolist() == ["D", "A", "Z", "B", "E"]
    assert gains.tolist() == [3, 2, 1, 2, 1]


def test_usage_is_the_column_sum_of_the_normalised_adjacency():
    graph = make_graph(SMALL)
    adjacency = graph.incoming.toarray() + np.eye(5)
    degree = adjacency.sum(axis=1)
    normalised = adjacency / np.sqrt(degree[:, None] * degree[None])
    weights = usage(np.array(["A", "D", "Z"], dtype=object), graph)
    np.testing.assert_allclose(weights[:5], normalised[[0, 3]].sum(axis=0))
    assert weights[5:].tolist() == [1, 1, 1]


def test_usage_weighted_reach_prefers_what_the_pool_leans_on():
    """Two candidates reach equally many nodes; the pool's other genes lean on the neighbours of one of them."""
    edges = [(source, target, 1.0) for target in ("Q", "R", "S") for source in ("m", "n")]
    edges += [("x", "P", 1.0), ("y", "P", 1.0)]
    graph = make_graph(edges)
    order, gains = load("reach_usage").rank(["P", "Q", "R", "S"], graph, 0, ONE_HOP)
    assert order[0] == "Q"
    assert gains[0] > 3 * (1 / 3) + QUANTUM
    assert load("reach").rank(["P", "Q", "R", "S"], graph, 0, ONE_HOP)[1].tolist() == [3, 3, 1, 1]


def test_degree_counts_distinct_neighbours_in_either_direction():
    order, gains = load("degree").rank(["A", "B", "C", "D", "Z"], make_graph(SMALL), 0, ONE_HOP)
    # A: B, C; C: A, D; D: C, E; B: A. Weight at D 1.5, A 1.2, C 1.0
    assert order.tolist() == ["D", "A", "C", "B", "Z"]
    assert gains.tolist() == [2, 2, 2, 1, 0]


def test_ties_go_to_the_larger_sum_of_weights_and_then_to_the_symbol():
    graph = make_graph([("A", "B", 0.5), ("C", "D", 0.5), ("E", "F", 0.9)])
    genes = np.array(list("ABCDEFZ"), dtype=object)
    assert genes[tie_order(genes, graph)].tolist() == ["E", "F", "A", "B", "C", "D", "Z"]


@pytest.mark.parametrize("name", GRAPH_SELECTORS)
@pytest.mark.parametrize("seed", range(3))
def test_graph_rankings_are_permutations_that_ignore_seed_and_order_of_the_pool(name, seed):
    graph = random_graph(seed)
    pool = [*graph.nodes[::2], "elsewhere1", "elsewhere2"]
    order, gains = load(name).rank(pool, graph, 1, ONE_HOP)
    again, same = load(name).rank(np.random.default_rng(seed).permutation(pool), graph, 2, ONE_HOP)
    assert sorted(order) == sorted(pool)
    assert (order.tolist(), gains.tolist()) == (again.tolist(), same.tolist())
    assert np.isfinite(gains).all()


@pytest.mark.parametrize("name", ["reach", "reach_usage"])
@pytest.mark.parametrize("hops", [1, 2])
def test_reach_selectors_equal_naive_greedy_on_random_graphs(name, hops):
    graph = random_graph(8)
    genes = check_pool(graph.nodes[5:25])
    weights = quantise(usage(genes, graph) if name == "reach_usage" else np.ones(len(graph.nodes) + len(genes)))
    ties = tie_order(genes, graph)
    balls = reach_balls(genes, graph, hops)
    expected, gains = naive_greedy([balls[candidate] for candidate in ties], weights)
    order, found = load(name).rank(genes, graph, 0, SimpleNamespace(hops=hops))
    assert order.tolist() == genes[ties[expected]].tolist()
    np.testing.assert_allclose(found, np.array(gains) * QUANTUM)


def test_random_draws_differ_and_are_set_by_the_seed():
    rank = load("random").rank
    pool = [f"G{index}" for index in range(40)]
    first, gains = rank(pool, None, 1, ONE_HOP)
    assert first.tolist() == rank(pool[::-1], None, 1, ONE_HOP)[0].tolist()
    assert first.tolist() != rank(pool, None, 2, ONE_HOP)[0].tolist()
    assert np.isnan(gains).all()


@pytest.mark.parametrize("name", SELECTORS)
@pytest.mark.parametrize(("pool", "message"), [([], "empty"), (["G01", "G02", "G01"], "G01 is in the pool twice")])
def test_an_unusable_pool_is_refused(name, pool, message):
    graph = random_graph(0) if needs_graph(name) else None
    with pytest.raises(InputError, match=message):
        load(name).rank(pool, graph, 0, ONE_HOP)


@pytest.mark.parametrize("name", GRAPH_SELECTORS)
def test_a_graph_without_any_gene_of_the_pool_is_refused(name):
    with pytest.raises(InputError, match="none of the 2 genes of the pool is in the graph"):
        load(name).rank(["x", "y"], random_graph(0), 0, ONE_HOP)


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
    table = rank_perturbations("s", "random", splits, None, ONE_HOP, 5)
    assert table.groupby(["split", "draw"]).size().to_dict() == {(s, d): 16 for s in (0, 1) for d in range(3)}
    tests = splits[splits["role"] == "test"].groupby("split")["perturbation"].agg(set)
    assert all(not set(rows["gene"]) & tests[split] for split, rows in table.groupby("split"))
    assert (table.groupby(["split", "draw"])["rank"].agg(list).map(lambda ranks: ranks == list(range(1, 17)))).all()
    assert table.groupby(["split", "draw"])["gene"].agg(tuple).nunique() == 6


def test_more_draws_leave_the_first_ones_as_they_were(splits):
    few = rank_perturbations("s", "random", splits, None, ONE_HOP, 5)
    many = rank_perturbations("s", "random", splits, None, SimpleNamespace(hops=1, random_draws=5), 5)
    pd.testing.assert_frame_equal(few, many[many["draw"] < 3].reset_index(drop=True))


def test_a_selector_gets_a_graph_exactly_if_it_needs_one(splits):
    with pytest.raises(InputError, match="takes no graph"):
        rank_perturbations("s", "random", splits, random_graph(0), ONE_HOP, 5)
    with pytest.raises(InputError, match="needs a graph"):
        rank_perturbations("s", "reach", splits, None, ONE_HOP, 5)


def test_what_the_source_says_of_a_selector_is_what_the_module_says():
    assert {name: needs_graph(name) for name in SELECTORS} == {name: load(name).NEEDS_GRAPH for name in SELECTORS}
    with pytest.raises(InputError, match=r"no entry 'guess'.*reach_usage"):
        needs_graph("guess")


def test_budgets_are_at_least_ten_at_most_the_pool_and_each_counts_once():
    percent = [5, 10, 20, 30, 50, 100]
    assert budget_sizes(120, percent, 10) == [10, 12, 24, 36, 60, 120]
    assert budget_sizes(20, percent, 10) == [10, 20]
    assert budget_sizes(6, percent, 10) == [6]
    assert budget_sizes(874, percent, 10) == [44, 87, 175, 262, 437, 874]
