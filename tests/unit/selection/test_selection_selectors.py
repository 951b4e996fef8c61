"""Selectors by similarity: each greedy choice against its objective written out, on random graphs."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.selection.clusters import coordinates, most_typical, nearest_to_centre, rank_by_clusters
from scarceseq.selection.evidence import Evidence
from scarceseq.selection.kernels import check_kernel, diffusion_kernel, farthest_first, fuse, gene_kernel
from scarceseq.selection.pool import tie_order
from scarceseq.selection.selectors.grain import SIMILAR
from scarceseq.selection.selectors.spectral import RIDGE, STEPS
from scarceseq.selection.selectors.v_optimal import NOISE

SETTINGS = SimpleNamespace(hops=1)


@pytest.fixture(params=range(3))
def graph(request):
    generator = np.random.default_rng(request.param)
    pairs = {tuple(pair) for pair in generator.integers(24, size=(70, 2)) if pair[0] != pair[1]}
    rows = [(f"G{a:02d}", f"G{b:02d}", round(generator.uniform(0.1, 1), 2)) for a, b in sorted(pairs)]
    return graph_from_edges(pd.DataFrame(rows, columns=["source", "target", "weight"]))


def rank(name, pool, graph, tests=(), **options):
    evidence = Evidence(SETTINGS, graph, tuple(tests), (graph,))
    return registry.load("selection.selectors", name).rank(pool, evidence, **options)


def pool_of(graph):
    """Genes in the order in which ties are broken, one of them outside the graph."""
    genes = np.array([*graph.nodes[:14], "outside"], dtype=object)
    return genes[tie_order(genes, graph)]


def greedy(objective, size):
    """Oracle: every gain anew at every step, the first of equals (to a millionth)."""
    order, left = [], list(range(size))
    while left:
        gains = [round(objective([*order, place]) - objective(order), 6) for place in left]
        order.append(left.pop(int(np.argmax(gains))))
    return order


def test_facility_location_is_greedy_for_the_similarity_to_the_nearest_chosen(graph):
    pool = pool_of(graph)
    similarity = np.maximum(gene_kernel(graph, pool), 0)
    order, gains = rank("facility_location", pool, graph)
    worth = [similarity[:, [list(pool).index(g) for g in order[:size]]].max(axis=1).sum() for size in range(1, 16)]
    first = next((step for step in range(1, 15) if gains[step] > gains[step - 1]), 15)
    expected = greedy(lambda s: similarity[:, s].max(axis=1).sum() if s else 0.0, len(pool))
    assert order[:first].tolist() == pool[expected[:first]].tolist()
    np.testing.assert_allclose(np.cumsum(gains[:first]), worth[:first], atol=1e-4)


def test_k_center_takes_the_farthest_and_is_within_twice_the_best_radius(graph):
    pool = pool_of(graph)
    kernel = gene_kernel(graph, pool)
    distance = np.sqrt(np.maximum(np.diag(kernel)[:, None] + np.diag(kernel)[None] - 2 * kernel, 0))
    order, gains = rank("k_center", pool, graph)
    places = [list(pool).index(gene) for gene in order]
    for step in range(1, 15):
        nearest = distance[:, places[:step]].min(axis=1)
        assert nearest[places[step]] == pytest.approx(nearest.max(), abs=1e-3)
        assert gains[step] == pytest.approx(nearest.max(), abs=1e-3)
    best = min(distance[:, list(chosen)].min(axis=1).max() for chosen in combinations(range(15), 3))
    assert distance[:, places[:3]].min(axis=1).max() <= 2 * best + 1e-6


def test_k_center_starts_from_what_was_measured():
    kernel = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])
    order, gains = farthest_first(kernel, np.array([1, 2]), np.array([0]))
    assert order.tolist() == [1, 0]  # positions among the candidates
    np.testing.assert_allclose(gains, [np.sqrt(1.8), np.sqrt(0.2)], atol=1e-6)


def test_prior_only_is_k_center_on_the_mean_kernel(graph):
    pool = np.array(sorted(pool_of(graph)), dtype=object)
    other = graph_from_edges(pd.DataFrame({"source": ["G00", "G01"], "target": ["G02", "G03"], "weight": [1.0, 0.5]}))
    entry = registry.load("selection.selectors", "prior_only")
    order, _ = entry.rank(pool, Evidence(SETTINGS, None, (), (graph, other)))
    kernel = (gene_kernel(graph, pool) + gene_kernel(other, pool)) / 2
    expected, _ = farthest_first(kernel, np.arange(len(pool)), np.array([], dtype=int))
    assert order.tolist() == pool[expected].tolist()
    np.testing.assert_allclose(fuse([4 * kernel, kernel]), kernel)
    with pytest.raises(InputError, match="no graph"):
        entry.rank(pool, Evidence(SETTINGS))


@pytest.mark.parametrize("measured", [0, 2])
def test_herding_brings_the_mean_of_the_choice_nearest_to_that_of_the_tests(graph, measured):
    pool, tests = pool_of(graph), graph.nodes[15:21]
    genes = np.concatenate([pool, tests])
    kernel = gene_kernel(graph, genes)
    target = np.r_[np.zeros(len(pool)), np.full(len(tests), 1 / len(tests))]

    def distance(chosen):
        """Squared maximum mean discrepancy of the chosen genes to the tests."""
        weights = -target.copy()
        weights[list(chosen)] += 1 / len(chosen)
        return weights @ kernel @ weights

    order, _ = rank("herding", pool[measured:], graph, tests=tests, labelled=pool[:measured])
    chosen = list(range(measured))
    for gene in order:
        place = list(pool).index(gene)
        left = [other for other in range(len(pool)) if other not in chosen]
        assert distance([*chosen, place]) <= min(distance([*chosen, other]) for other in left) + 1e-5
        chosen.append(place)


def test_v_optimal_takes_what_leaves_the_least_variance_at_the_tests(graph):
    """Oracle: posterior variances by solving the whole system anew."""
    pool, tests = pool_of(graph), graph.nodes[14:20].astype(object)
    kernel = gene_kernel(graph, np.concatenate([pool, tests]))
    targets = np.arange(len(pool), len(kernel))

    def taken(chosen):
        cross = kernel[np.ix_(targets, chosen)]
        inner = kernel[np.ix_(chosen, chosen)] + NOISE * np.eye(len(chosen))
        return float(np.trace(cross @ np.linalg.solve(inner, cross.T))) if chosen else 0.0

    order, gains = rank("v_optimal", pool, graph, tests=tests)
    assert order.tolist() == pool[greedy(taken, len(pool))].tolist()
    assert gains.sum() == pytest.approx(taken(list(range(len(pool)))), abs=1e-4)
    labelled, _ = rank("v_optimal", pool[1:], graph, tests=tests, labelled=pool[:1])
    assert labelled[0] == pool[1 + int(np.argmax([taken([0, place]) for place in range(1, len(pool))]))]


def test_spectral_is_greedy_for_the_determinant(graph):
    pool = pool_of(graph)
    kernel = diffusion_kernel(graph, pool, STEPS)

    def log_determinant(chosen):
        return np.linalg.slogdet(np.eye(len(chosen)) + kernel[np.ix_(chosen, chosen)] / RIDGE)[1] if chosen else 0.0

    order, gains = rank("spectral", pool, graph)
    assert order.tolist() == pool[greedy(log_determinant, len(pool))].tolist()
    assert gains.sum() == pytest.approx(log_determinant(list(range(len(pool)))), abs=1e-4)


def test_the_diffusion_kernel_is_a_power_of_the_lazy_walk(graph):
    weights = np.maximum(graph.incoming.toarray(), graph.incoming.toarray().T) + np.eye(len(graph.nodes))
    scale = 1 / np.sqrt(weights.sum(axis=1))
    walk = np.linalg.matrix_power((np.eye(len(weights)) + scale[:, None] * weights * scale) / 2, 4)
    size = np.sqrt(np.diag(walk))
    found = diffusion_kernel(graph, [*graph.nodes, "outside"], 2)
    np.testing.assert_allclose(found[:-1, :-1], walk / size[:, None] / size, atol=1e-12)
    assert found[-1].tolist() == [0] * len(weights) + [1]


def test_grain_is_greedy_for_reach_and_diversity_together(graph):
    pool = pool_of(graph)
    linked = graph.incoming.toarray() > 0
    position = graph.positions(pool)
    reach = [{*np.flatnonzero(linked[p]), p} if p >= 0 else {("outside", p)} for p in position]
    similar = [set(np.flatnonzero(row >= SIMILAR)) for row in gene_kernel(graph, pool)]
    nodes = len(set().union(*reach))

    def worth(chosen):
        return sum(
            len(set().union(*(sets[c] for c in chosen))) / n for sets, n in ((reach, nodes), (similar, len(pool)))
        )

    order, gains = rank("grain", pool, graph)
    first = next((step for step in range(1, len(gains)) if gains[step] > gains[step - 1]), len(gains))
    assert order[:first].tolist() == pool[greedy(worth, len(pool))[:first]].tolist()
    assert gains[:first].sum() == pytest.approx(2, abs=1e-3)


def blobs(sizes, seed=0):
    """Linear kernel of points in well separated groups, and the group of each."""
    generator = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    points = 20 * np.eye(len(sizes))[group] + generator.normal(size=(len(group), len(sizes)))
    return points @ points.T, group


@pytest.mark.parametrize("pick", [nearest_to_centre, most_typical])
def test_one_gene_of_each_group_comes_first_and_large_groups_come_before_small_ones(pick):
    sizes = [9, 8, 7, 6, 5, 5, 4, 4, 3, 3]
    kernel, group = blobs(sizes)
    order = rank_by_clusters(kernel, np.arange(len(group)), np.array([], dtype=int), pick, None, 1)
    assert sorted(order) == list(range(len(group)))
    assert group[order[:10]].tolist()[:4] == [0, 1, 2, 3]
    assert set(group[order[:10]]) == set(range(10))


def test_groups_with_a_measured_gene_are_not_taken_first():
    kernel, group = blobs([6] * 12)
    measured = np.array([0, 6])  # of groups 0 and 1
    candidates = np.setdiff1d(np.arange(len(group)), measured)
    order = candidates[rank_by_clusters(kernel, candidates, measured, most_typical, 10, 1)]
    assert set(group[order]) == set(range(2, 12))


def test_the_nearest_and_the_most_typical_point_are_those_of_scikit_learn():
    from sklearn.metrics import pairwise_distances_argmin
    from sklearn.neighbors import NearestNeighbors

    points = np.random.default_rng(3).normal(size=(30, 4))
    centre = points.mean(axis=0)
    assert nearest_to_centre(points, centre) == pairwise_distances_argmin(centre[None], points)[0]
    near = NearestNeighbors(n_neighbors=16).fit(points).kneighbors(points)[0][:, 1:]
    assert most_typical(points, centre) == int(np.argmin(near.mean(axis=1)))


def test_coordinates_give_the_kernel_back():
    kernel, _ = blobs([4, 5, 6])
    points = coordinates(kernel)
    np.testing.assert_allclose(points @ points.T, kernel, atol=1e-8)


def test_a_kernel_with_a_missing_value_or_without_symmetry_is_refused():
    with pytest.raises(InputError, match="genes 0 and 1 is no number"):
        check_kernel(np.array([[1, np.nan], [0.5, 1]]))
    with pytest.raises(InputError, match="not symmetric"):
        check_kernel(np.array([[1, 0.2], [0.5, 1]]))
