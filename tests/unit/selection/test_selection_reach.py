"""The family of reach: what a choice reaches, what that is worth, and that the greedy order follows from both."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.selection.evidence import Evidence
from scarceseq.selection.pool import QUANTUM, quantise, tie_order
from scarceseq.selection.reach import Reach, node_worth, rank_by_reach, reach_cover, usage
from scarceseq.selection.selector import ranker

ONE_HOP = SimpleNamespace(hops=1)
# in-edges: A <- B, C; D <- C, E; B <- A
SMALL = [("B", "A", 0.5), ("C", "A", 0.5), ("C", "D", 0.5), ("E", "D", 1.0), ("A", "B", 0.2)]


def make_graph(edges):
    return graph_from_edges(pd.DataFrame(edges, columns=["source", "target", "weight"]))


def random_graph(seed, genes=30, edges=120):
    generator = np.random.default_rng(seed)
    pairs = {tuple(pair) for pair in generator.integers(genes, size=(edges, 2)) if pair[0] != pair[1]}
    return make_graph([(f"G{a:02d}", f"G{b:02d}", round(generator.uniform(0.1, 1), 2)) for a, b in sorted(pairs)])


def rank(name, pool, graph, tests=(), **options):
    return ranker(name)(pool, Evidence(ONE_HOP, graph, tuple(tests)), **options)


def balls(genes, graph, reach):
    """Names of what each gene reaches."""
    genes = np.array(list(genes), dtype=object)
    named = np.concatenate([graph.nodes, genes])
    cover = reach_cover(genes, graph, reach, np.ones(len(named), np.int64))
    return [set(named[cover.items[cover.starts[i] : cover.starts[i + 1]]]) for i in range(len(genes))]


def test_balls_follow_edges_backwards():
    graph = make_graph(SMALL)
    assert balls("ABDZ", graph, Reach()) == [set("ABC"), set("AB"), set("CDE"), {"Z"}]
    assert balls("B", graph, Reach(hops=2)) == [set("ABC")]
    assert balls("CE", graph, Reach()) == [{"C"}, {"E"}]


def test_balls_follow_edges_forwards_or_both_ways():
    graph = make_graph(SMALL)
    assert balls("CEA", graph, Reach(direction="out")) == [set("CAD"), set("ED"), set("AB")]
    assert balls("CB", graph, Reach(direction="undirected")) == [set("CAD"), set("AB")]


def test_plain_reach_on_a_graph_done_by_hand():
    order, gains = rank("reach", ["B", "A", "E", "D", "Z"], make_graph(SMALL))
    # A reaches A, B, C and D reaches C, D, E: a tie, D has more weight at it (1.5 to 1.2). Then A adds A, B; Z itself.
    # Nothing new is left: a fresh cover in which B reaches A, B, then E itself.
    assert order.tolist() == ["D", "A", "Z", "B", "E"]
    assert gains.tolist() == [3, 2, 1, 2, 1]


def test_reach_over_candidates_and_tests_counts_those_alone():
    graph = make_graph(SMALL)
    order, gains = rank("reach@candidates", ["A", "B", "D"], graph)
    assert (order.tolist(), gains.tolist()) == (["A", "D", "B"], [2, 1, 2])  # A reaches A and B
    worth = node_worth(np.array(["A", "B"], dtype=object), graph, Reach(ground="tests"), ["A", "B"], ["D"])
    assert worth.tolist() == [0, 0, 0, 1, 0, 0, 0]  # nodes A to E, then A and B again
    # what test gene D leans on, C and E, is reached by D alone, and by C of the pool
    order, _ = rank("reach@tests", ["A", "B", "C"], graph, tests=["D"])
    assert order[0] in "AC"


def test_usage_is_the_column_sum_of_the_normalised_adjacency():
    graph = make_graph(SMALL)
    adjacency = graph.incoming.toarray() + np.eye(5)
    degree = adjacency.sum(axis=1)
    normalised = adjacency / np.sqrt(degree[:, None] * degree[None])
    genes = np.array(["A", "D", "Z"], dtype=object)
    worth = node_worth(genes, graph, Reach(ground="candidates", usage=True), genes, ())
    np.testing.assert_allclose(worth[:5], normalised[[0, 3]].sum(axis=0))
    assert worth[5:].tolist() == [1, 1, 1]
    weighted = node_worth(genes, graph, Reach(ground="candidates", usage=True), genes, (), {"A": 3.0, "Z": 0.5})
    np.testing.assert_allclose(weighted[:5], 3 * normalised[0] + normalised[3])
    assert weighted[5:].tolist() == [3, 1, 0.5]
    np.testing.assert_allclose(usage(graph, np.ones(5)), normalised.sum(axis=0))


def test_usage_weighted_reach_prefers_what_the_pool_leans_on():
    """Two candidates reach equally many nodes; the pool's other genes lean on the neighbours of one of them."""
    edges = [(source, target, 1.0) for target in ("Q", "R", "S") for source in ("m", "n")]
    edges += [("x", "P", 1.0), ("y", "P", 1.0)]
    graph = make_graph(edges)
    order, gains = rank("reach@usage", ["P", "Q", "R", "S"], graph)
    assert order[0] == "Q"
    assert gains[0] > 3 * (1 / 3) + QUANTUM
    assert rank("reach", ["P", "Q", "R", "S"], graph)[1].tolist() == [3, 3, 1, 1]


def test_soft_reach_counts_the_nearest_of_the_chosen_and_what_is_further_half():
    chain = make_graph([("B", "A", 1.0), ("C", "B", 1.0), ("D", "C", 1.0)])
    genes = np.array(list("ABCD"), dtype=object)
    reach = Reach(hops=2, decay=0.5)
    order, gains = rank_by_reach(genes, Evidence(ONE_HOP, chain), reach)
    # A: 1 + 1/2 + 1/4, as B; B is first by weight at it. Then A adds itself, C 1/2 at itself and 1/4 at D, D the rest
    assert order.tolist() == ["B", "A", "C", "D"]
    assert gains.tolist() == [1.75, 1.0, 0.75, 0.5]


def test_halving_never_starts_afresh():
    graph = random_graph(5)
    _, gains = rank("reach@halving", graph.nodes, graph)
    assert (np.diff(gains) <= 0).all()
    assert gains[-1] > 0
    _, plain = rank("reach@usage", graph.nodes, graph)
    assert (np.diff(plain) > 0).any()


REACHES = [
    Reach(hops, direction, ground, weighted, decay, halving)
    for hops, direction, ground, weighted, decay, halving in [
        (1, "in", "all", False, 1.0, False),
        (2, "in", "candidates", True, 1.0, False),
        (1, "out", "tests", True, 1.0, False),
        (2, "undirected", "candidates", False, 0.5, False),
        (1, "in", "candidates", True, 1.0, True),
    ]
]


@pytest.mark.parametrize("reach", REACHES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_is_that_of_naive_greedy_on_random_graphs(reach, seed):
    """Oracle: distances by matrix powers, the objective in plain Python, every gain anew at every step."""
    graph = random_graph(seed)
    genes = np.array([*graph.nodes[5:25], "elsewhere"], dtype=object)
    tests = graph.nodes[:5]
    everyone = genes[tie_order(genes, graph)]
    worth = quantise(node_worth(everyone, graph, reach, genes, tests))
    step = graph.incoming.toarray() > 0
    step = {"in": step, "out": step.T, "undirected": step | step.T}[reach.direction] | np.eye(
        len(graph.nodes), dtype=bool
    )
    walks = [np.linalg.matrix_power(step.astype(int), hops) > 0 for hops in range(reach.hops + 1)]
    distance = np.where(walks[-1], sum(~walk for walk in walks), 99)

    def reached(gene):
        place = int(graph.positions([gene])[0])
        if place < 0:
            return {len(graph.nodes) + int(np.flatnonzero(everyone == gene)[0]): 0}
        return {node: int(distance[place, node]) for node in np.flatnonzero(distance[place] < 99)}

    def objective(chosen):
        near, times = {}, {}
        for gene in chosen:
            for node, steps in reached(gene).items():
                value = int(np.rint(worth[node] * reach.decay**steps))
                near[node], times[node] = max(near.get(node, 0), value), times.get(node, 0) + 1
        return sum(v >> t for n, v in near.items() for t in range(times[n] if reach.halving else 1))

    left, order, gains, covered, fresh = list(everyone), [], [], [], True
    while left:
        gain = [objective([*covered, gene]) - objective(covered) for gene in left]
        best = int(np.argmax(gain))
        if gain[best] == 0 and not fresh:
            covered, fresh = [], True
            continue
        fresh = gain[best] == 0
        covered.append(left[best])
        order.append(left.pop(best))
        gains.append(gain[best] * QUANTUM)
    found, values = rank_by_reach(genes, Evidence(ONE_HOP, graph, tuple(tests)), reach)
    assert (found.tolist(), values.tolist()) == (order, gains)


def test_what_was_measured_needs_no_second_reach():
    graph = make_graph(SMALL)
    order, gains = rank("reach", ["A", "B", "E"], graph, labelled=["D"])
    assert (order.tolist(), gains.tolist()) == (["A", "B", "E"], [2, 2, 1])  # C and E are covered by D


def test_what_makes_no_sense_is_refused():
    graph = make_graph(SMALL)
    genes = np.array(["A"], dtype=object)
    with pytest.raises(InputError, match="no node is worth anything"):
        node_worth(genes, graph, Reach(ground="tests"), genes, ())
    for weight in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="negative or no number"):
            node_worth(genes, graph, Reach(), genes, (), {"A": weight})
    for wrong in (
        {"hops": 0},
        {"direction": "up"},
        {"ground": "some"},
        {"decay": 0.0},
        {"decay": 0.5, "halving": True},
    ):
        with pytest.raises(InputError):
            Reach(**wrong)
