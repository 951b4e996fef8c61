"""Greedy cover: what naive greedy takes, the bounds of theory, limits kept, with numba and without."""

import heapq
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scarceseq.errors import InputError
from scarceseq.selection.cover import HALVING, ONCE, Cover, Limits, better_of_two, greedy, marginal_gains
from scarceseq.selection.loops import compiled, fastest, vectorised

LOOPS = pytest.mark.parametrize("loops", [compiled, vectorised], ids=["compiled", "vectorised"])


def make_cover(balls, weights, values=None, shrink=ONCE):
    starts = np.cumsum([0, *map(len, balls)]).astype(np.int64)
    items = np.array([item for ball in balls for item in ball], dtype=np.int32)
    values = None if values is None else np.array([v for row in values for v in row], dtype=np.int64)
    return Cover(starts, items, np.array(weights, dtype=np.int64), values, shrink)


def worth(cover, chosen):
    """Oracle: the objective as it is written, in plain Python."""
    best, times = {}, {}
    for candidate in chosen:
        for entry in range(cover.starts[candidate], cover.starts[candidate + 1]):
            item = int(cover.items[entry])
            times[item] = times.get(item, 0) + 1
            value = int(cover.weights[item] if cover.values is None else cover.values[entry])
            best[item] = max(best.get(item, 0), value)
    if cover.shrink == ONCE:
        return sum(best.values())
    return sum(value >> time for item, value in best.items() for time in range(times[item]))


def naive_greedy(cover, limits):
    """Oracle: every gain anew at every step, first candidate among equals, fresh cover when nothing is gained."""
    costs = [1] * len(cover) if limits.costs is None else limits.costs.tolist()
    money = float("inf") if limits.budget is None else limits.budget
    open_ = set(range(len(cover))) - {*limits.measured, *limits.excluded, *limits.required}
    covered, order, gains, fresh = list(limits.measured), [], [], not limits.measured
    for group in (set(limits.required), open_):
        while group := {c for c in group if costs[c] <= money}:
            gain = {c: worth(cover, [*covered, c]) - worth(cover, covered) for c in sorted(group)}
            best = max(gain, key=lambda c: (gain[c] / costs[c] if limits.by_cost else gain[c], -c))
            if gain[best] == 0 and not fresh:
                covered, fresh = [], True
                continue
            covered.append(best)
            order.append(best)
            gains.append(gain[best])
            money -= costs[best]
            fresh = gain[best] == 0
            group.remove(best)
    return order, gains


@st.composite
def covers(draw, kinds=("hard", "halving", "values")):
    nodes = draw(st.integers(1, 12))
    balls = draw(st.lists(st.lists(st.integers(0, nodes - 1), max_size=6, unique=True), min_size=1, max_size=12))
    weights = draw(st.lists(st.integers(0, 4), min_size=nodes, max_size=nodes))
    kind = draw(st.sampled_from(kinds))
    if kind == "values":
        return make_cover(balls, weights, [[draw(st.integers(0, 4)) for _ in ball] for ball in balls])
    return make_cover(balls, weights, shrink=HALVING if kind == "halving" else ONCE)


@st.composite
def limited(draw):
    cover = draw(covers())
    places = st.integers(0, len(cover) - 1)
    costs = st.lists(st.integers(1, 5), min_size=len(cover), max_size=len(cover))
    measured, excluded, required = (draw(st.sets(places, max_size=2)) for _ in range(3))
    return cover, Limits(
        budget=draw(st.none() | st.integers(12, 30)),
        costs=draw(st.none() | costs.map(lambda values: np.array(values, dtype=np.int64))),
        by_cost=draw(st.booleans()),
        measured=tuple(sorted(measured)),
        excluded=tuple(sorted(excluded)),
        required=tuple(sorted(required - measured - excluded)),
    )


@LOOPS
@settings(max_examples=300, deadline=None)
@given(case=limited())
def test_kept_gains_choose_exactly_what_naive_greedy_chooses(loops, case):
    order, gains = greedy(*case, loops)
    assert (order.tolist(), gains.tolist()) == naive_greedy(*case)


def lazy_greedy(cover):
    """Oracle: a heap of old gains, which are upper bounds (Minoux 1978), until nothing is gained."""
    heap = [(-worth(cover, [c]), c, 0) for c in range(len(cover))]
    heapq.heapify(heap)
    order, gains = [], []
    while heap:
        gain, candidate, evaluated = heapq.heappop(heap)
        if evaluated < len(order):
            heapq.heappush(heap, (worth(cover, order) - worth(cover, [*order, candidate]), candidate, len(order)))
        elif gain == 0:
            break
        else:
            order.append(candidate)
            gains.append(-gain)
    return order, gains


@settings(max_examples=150, deadline=None)
@given(covers())
def test_lazy_greedy_chooses_the_same_until_nothing_is_gained(cover):
    expected, gains = lazy_greedy(cover)
    order, found = greedy(cover, Limits(budget=max(1, len(expected))))
    if expected:
        assert (order.tolist(), found.tolist()) == (expected, gains)
    else:
        assert found.tolist() == [0]


@settings(max_examples=150, deadline=None)
@given(covers(), st.integers(1, 4))
def test_greedy_covers_at_least_the_share_that_theory_promises(cover, budget):
    order, gains = greedy(cover)
    budget = min(budget, len(cover))
    best = max(worth(cover, chosen) for chosen in combinations(range(len(cover)), budget))
    assert worth(cover, order[:budget]) >= (1 - 1 / np.e) * best
    saturated = next((step for step in range(1, len(gains)) if gains[step] > gains[step - 1]), len(gains))
    assert (np.diff(gains[:saturated]) <= 0).all()


@settings(max_examples=150, deadline=None)
@given(covers(), st.integers(1, 10), st.data())
def test_with_costs_the_better_of_two_rules_covers_half_of_that_share(cover, budget, data):
    costs = np.array([data.draw(st.integers(1, 6)) for _ in range(len(cover))], dtype=np.int64)
    order, _, _ = better_of_two(cover, Limits(budget=budget, costs=costs))
    assert costs[order].sum() <= budget
    sets = [s for size in range(len(cover) + 1) for s in combinations(range(len(cover)), size)]
    best = max(worth(cover, chosen) for chosen in sets if costs[list(chosen)].sum() <= budget)
    assert worth(cover, order) >= (1 - 1 / np.e) / 2 * best


def test_neither_rule_alone_has_a_bound_with_costs():
    """A cheap trifle bars the one that is worth the whole budget from gain per cost; many cheap ones beat one dear."""
    trifle = make_cover([[0], [1]], [2, 10])
    costs = np.array([1, 10], dtype=np.int64)
    by_cost = greedy(trifle, Limits(budget=10, costs=costs, by_cost=True))[0]
    assert by_cost.tolist() == [0]
    assert better_of_two(trifle, Limits(budget=10, costs=costs))[0].tolist() == [1]
    many = make_cover([[0], [1], [2], [3]], [3, 2, 2, 2])
    order, _, used_costs = better_of_two(many, Limits(budget=3, costs=np.array([3, 1, 1, 1], dtype=np.int64)))
    assert (order.tolist(), used_costs) == ([1, 2, 3], True)


@settings(max_examples=100, deadline=None)
@given(covers(), st.integers(1, 12))
def test_a_smaller_budget_gives_the_beginning_of_the_same_order(cover, budget):
    whole, gains = greedy(cover)
    part, first = greedy(cover, Limits(budget=budget))
    assert (part.tolist(), first.tolist()) == (whole[:budget].tolist(), gains[:budget].tolist())


@settings(max_examples=100, deadline=None)
@given(covers(), st.lists(st.integers(0, 11), max_size=4, unique=True))
def test_marginal_gains_are_differences_of_the_objective(cover, chosen):
    chosen = [candidate for candidate in chosen if candidate < len(cover)]
    found = marginal_gains(cover, chosen)
    expected = [worth(cover, chosen[: size + 1]) - worth(cover, chosen[:size]) for size in range(len(chosen))]
    assert found.tolist() == expected


def test_what_was_measured_is_covered_and_does_not_come_back():
    cover = make_cover([[0, 1, 2], [0, 1], [3]], [1, 1, 1, 1])
    order, gains = greedy(cover, Limits(measured=(0,)))
    assert (order.tolist(), gains.tolist()) == ([2, 1], [1, 2])


def test_what_must_be_in_and_cannot_be_is_an_error():
    cover = make_cover([[0], [1], [2]], [1, 1, 1])
    with pytest.raises(InputError, match="does not pay"):
        greedy(cover, Limits(budget=1, required=(0, 1)))
    with pytest.raises(InputError, match="must also be out"):
        greedy(cover, Limits(required=(0,), excluded=(0,)))


def test_negative_and_overflowing_weights_are_refused():
    with pytest.raises(InputError, match="negative"):
        make_cover([[0]], [-1])
    with pytest.raises(InputError, match=r"2\*\*52"):
        make_cover([[0]], [2**52])


def random_steps(seed, nodes=60, edges=150):
    generator = np.random.default_rng(seed)
    pairs = np.unique(generator.integers(nodes, size=(edges, 2)), axis=0)
    starts = np.searchsorted(pairs[:, 0], np.arange(nodes + 1)).astype(np.int64)
    return starts, pairs[:, 1].astype(np.int32)


@LOOPS
@pytest.mark.parametrize("hops", [1, 2, 3])
def test_balls_and_distances_are_those_of_networkx(loops, hops):
    networkx = pytest.importorskip("networkx")
    starts, neighbours = random_steps(hops)
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(60))
    graph.add_edges_from((node, int(o)) for node in range(60) for o in neighbours[starts[node] : starts[node + 1]])
    seeds = np.array([5, 0, 59, 5], dtype=np.int64)
    ball_starts, nodes, steps = loops.reach(starts, neighbours, seeds, hops)
    for number, seed in enumerate(seeds):
        part = slice(ball_starts[number], ball_starts[number + 1])
        found = dict(zip(nodes[part].tolist(), steps[part].tolist(), strict=True))
        assert len(found) == part.stop - part.start
        assert found == networkx.single_source_shortest_path_length(graph, int(seed), cutoff=hops)


@LOOPS
def test_transposed_twice_is_the_same(loops):
    starts, items = random_steps(4)
    values = np.arange(len(items), dtype=np.int64)
    columns, rows, turned = loops.transpose(starts, items, values, 60)
    assert [set(rows[columns[i] : columns[i + 1]]) for i in range(60)] == [
        {row for row in range(60) if i in items[starts[row] : starts[row + 1]]} for i in range(60)
    ]
    again = loops.transpose(columns, rows, turned, 60)
    assert [part.tolist() for part in again] == [starts.tolist(), items.tolist(), values.tolist()]


def test_without_numba_the_vectorised_loops_are_taken(monkeypatch):
    import sys

    assert fastest() is compiled
    monkeypatch.setitem(sys.modules, "scarceseq.selection.loops.compiled", None)
    monkeypatch.delattr("scarceseq.selection.loops.compiled")
    assert fastest() is vectorised
