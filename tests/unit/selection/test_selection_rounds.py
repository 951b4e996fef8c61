"""Selection in rounds: each selector against its definition on a small case, and what a round may look at."""

from itertools import combinations
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq import registry
from scarceseq.config import selector_names
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.ridge import RIDGES, fit_dual
from scarceseq.seeds import derive
from scarceseq.selection.batches import largest_cluster_first
from scarceseq.selection.budgets import round_sizes
from scarceseq.selection.evidence import Evidence
from scarceseq.selection.kernels import farthest_first, fuse, gene_kernel
from scarceseq.selection.learned import Learned, learned_by_ridge, posterior
from scarceseq.selection.rankings import rank_perturbations
from scarceseq.selection.rounds import select_in_rounds
from scarceseq.selection.selectors.acs_fw import frank_wolfe
from scarceseq.selection.selectors.bait import take_out
from scarceseq.selection.settings import RankingSettings, RoundSettings

SETTINGS = RankingSettings(random_draws=2, hops=1)
ROUNDS = RoundSettings(first=20, batch=20, rounds=2, unit="percent", draws=2, model="graph_process")
SELECTORS = [name for name in registry.names("selection.selectors") if selector_names.in_rounds(name)]
GENES = np.array([f"G{index:02d}" for index in range(18)], dtype=object)


@pytest.fixture(params=range(3))
def generator(request):
    return np.random.default_rng(request.param)


@pytest.fixture
def graph(generator):
    pairs = {tuple(pair) for pair in generator.integers(18, size=(60, 2)) if pair[0] != pair[1]}
    rows = [(GENES[a], GENES[b], round(generator.uniform(0.1, 1), 2)) for a, b in sorted(pairs)]
    return graph_from_edges(pd.DataFrame(rows, columns=["source", "target", "weight"]))


@pytest.fixture
def learned(generator):
    points = generator.normal(size=(18, 30))
    kernel = points @ points.T / 45
    return Learned(GENES, kernel / np.diag(kernel).max(), 0.3, generator.normal(size=(18, 7)))


def rank(name, learned, pool=GENES[4:], labelled=GENES[:4], priors=(), **options):
    evidence = Evidence(SETTINGS, None, (), tuple(priors), learned)
    return registry.load("selection.selectors", name).rank(pool, evidence, labelled=tuple(labelled), **options)


def left_over(learned):
    """Oracle: posterior covariance of the candidates (5th gene and on), by a plain inverse."""
    kernel, known = learned.kernel, np.arange(4)
    inner = np.linalg.inv(kernel[np.ix_(known, known)] + learned.noise * np.eye(4))
    return (kernel - kernel[:, known] @ inner @ kernel[known])[4:, 4:]


def test_the_posterior_is_that_of_measuring_one_by_one(learned):
    covariance = learned.kernel.copy()
    for gene in range(4):
        column = covariance[:, gene] / np.sqrt(covariance[gene, gene] + learned.noise)
        covariance = covariance - np.outer(column, column)
    np.testing.assert_allclose(posterior(learned.kernel, np.arange(4), learned.noise), covariance, atol=1e-12)
    np.testing.assert_array_equal(posterior(learned.kernel, np.array([], dtype=int), 1.0), learned.kernel)


def test_bald_is_half_the_logarithm_of_one_plus_variance_over_noise(learned):
    order, gains = rank("bald", learned, budget=6)
    expected = 0.5 * np.log(1 + np.diag(left_over(learned)) / learned.noise)
    assert order.tolist() == GENES[4:][np.argsort(-expected)[:6]].tolist()
    np.testing.assert_allclose(gains, np.sort(expected)[::-1][:6], atol=1e-6)


def test_batch_bald_takes_at_each_step_the_largest_determinant(learned):
    covariance, order, gains = left_over(learned), *rank("batch_bald", learned, budget=6)
    places = [int(np.flatnonzero(GENES[4:] == gene)[0]) for gene in order]

    def information(chosen):
        return 0.5 * np.linalg.slogdet(np.eye(len(chosen)) + covariance[np.ix_(chosen, chosen)] / learned.noise)[1]

    for step in range(6):
        options = [place for place in range(14) if place not in places[:step]]
        best = max(options, key=lambda place: information([*places[:step], place]))
        assert places[step] == best
        assert gains[: step + 1].sum() == pytest.approx(information(places[: step + 1]), abs=1e-5)
    best = max(information(list(chosen)) for chosen in combinations(range(14), 3))
    assert information(places[:3]) >= (1 - 1 / np.e) * best  # monotone and submodular


def test_badge_draws_with_shares_of_the_squared_distance(learned):
    """Oracle: frequencies of the first and second draw, within five standard errors."""
    covariance, draws = left_over(learned), 3000
    first, second = np.zeros(14), np.zeros(14)
    expected = np.diag(covariance) / np.trace(covariance)
    likely = int(np.argmax(expected))
    for seed in range(draws):
        places = [int(gene[1:]) - 4 for gene in rank("badge", learned, budget=2, seed=seed)[0]]
        first[places[0]] += 1
        second[places[1]] += places[0] == likely
    assert (np.abs(first / draws - expected) < 5 * np.sqrt(expected / draws)).all()
    distance = np.minimum(
        np.diag(covariance), np.diag(covariance) + covariance[likely, likely] - 2 * covariance[likely]
    )
    distance[likely] = 0
    shares, count = distance / distance.sum(), second.sum()
    assert (np.abs(second / count - shares) <= 5 * np.sqrt(shares / count)).all()


def test_core_set_is_farthest_first_from_what_was_measured(learned):
    order, gains = rank("core_set", learned)
    diagonal = np.diag(learned.kernel)
    distance = np.sqrt(diagonal[:, None] + diagonal[None] - 2 * learned.kernel)
    chosen = [0, 1, 2, 3]
    for gene, gain in zip(order, gains, strict=True):
        nearest = distance[:, chosen].min(axis=1)
        assert int(gene[1:]) == int(np.argmax(nearest))
        assert gain == pytest.approx(nearest.max(), abs=1e-3)
        chosen.append(int(gene[1:]))


def test_lcmd_takes_the_farthest_of_the_cluster_with_the_largest_sum(learned):
    order, gains = rank("lcmd", learned)
    diagonal = np.diag(learned.kernel)
    squared = diagonal[:, None] + diagonal[None] - 2 * learned.kernel
    chosen = [0, 1, 2, 3]
    for gene, gain in zip(order, gains, strict=True):
        left = [place for place in range(18) if place not in chosen]
        own = {place: min(chosen, key=lambda centre: squared[place, centre]) for place in left}
        size = {centre: sum(squared[p, centre] for p in left if own[p] == centre) for centre in chosen}
        largest = max(size, key=size.get)
        best = max((p for p in left if own[p] == largest), key=lambda p: squared[p, largest])
        assert int(gene[1:]) == best
        assert gain == pytest.approx(np.sqrt(squared[best, largest]), abs=1e-3)
        chosen.append(best)


def test_lcmd_without_anything_measured_starts_in_the_middle():
    kernel = np.array([[1, 0.6, 0.5], [0.6, 1, 0.1], [0.5, 0.1, 1]])
    order, gains = largest_cluster_first(kernel, np.arange(3), np.array([], dtype=int))
    assert order.tolist() == [0, 2, 1]
    assert np.isnan(gains[0])


def test_frank_wolfe_takes_directions_that_bring_it_nearest_to_the_sum(learned):
    """Oracle: the same walk with the vectors themselves, the best step by a fine grid."""
    covariance = left_over(learned)
    values, vectors = np.linalg.eigh(covariance)
    points = vectors * np.sqrt(np.maximum(values, 0))
    length = np.linalg.norm(points, axis=1)
    target, walk, order = points.sum(axis=0), np.zeros(14), []
    grid = np.linspace(0, 1, 20001)
    for _ in range(6):
        score = points @ (target - walk) / length
        score[order] = -np.inf
        order.append(int(np.argmax(score)))
        vertex = length.sum() / length[order[-1]] * points[order[-1]]
        error = [((target - (1 - g) * walk - g * vertex) ** 2).sum() for g in grid]
        walk = walk + grid[int(np.argmin(error))] * (vertex - walk)
    assert frank_wolfe(covariance, 6).tolist() == order
    assert rank("acs_fw", learned, budget=6)[0].tolist() == GENES[4:][order].tolist()


def variances(covariance, chosen, noise):
    """Oracle: sum of posterior variances, solved anew."""
    part = covariance[:, chosen]
    return np.trace(covariance - part @ np.linalg.solve(part[chosen] + noise * np.eye(len(chosen)), part.T))


def test_bait_goes_forward_to_twice_the_batch_and_back(learned):
    covariance = posterior(learned.kernel, np.arange(4), learned.noise)
    chosen = []
    for _ in range(8):
        left = [place for place in range(4, 18) if place not in chosen]
        chosen.append(min(left, key=lambda place: variances(covariance, [*chosen, place], learned.noise)))
    while len(chosen) > 4:
        rest = [[p for p in chosen if p != out] for out in chosen]
        chosen = min(rest, key=lambda kept: variances(covariance, kept, learned.noise))
    assert rank("bait", learned, budget=4)[0].tolist() == GENES[chosen].tolist()
    everything = take_out(covariance, np.arange(4, 9), learned.noise, 5)
    assert everything.tolist() == list(range(4, 9))


def test_iterpert_is_farthest_first_on_the_mean_of_profiles_and_priors(learned, graph):
    order, _ = rank("iterpert", learned, priors=(graph,))
    everyone = np.concatenate([GENES[4:], GENES[:4]])
    own = learned.ordered(everyone).predicted
    kernel = fuse([own @ own.T, gene_kernel(graph, everyone)])
    expected, _ = farthest_first(kernel, np.arange(14), np.arange(14, 18))
    assert order.tolist() == everyone[expected].tolist()


@pytest.mark.parametrize("name", ["profile_k_means", "profile_typiclust"])
def test_clusters_of_predicted_profiles_get_one_each(name):
    centres = np.eye(4) * 10
    predicted = np.concatenate([centre + np.random.default_rng(3).normal(size=(4, 4)) * 0.1 for centre in centres])
    learned = Learned(GENES[:16], np.eye(16), 0.1, predicted)
    # without measured genes of their own there are four groups; one of them has been measured
    pool, labelled = (GENES[:16], ()) if name == "profile_k_means" else (GENES[4:16], GENES[:4])
    wanted = 4 if name == "profile_k_means" else 3
    if name == "profile_typiclust":
        labelled, pool = GENES[:1], GENES[4:16]
    order, gains = rank(name, learned, pool=pool, labelled=labelled, budget=wanted)
    assert len({int(gene[1:]) // 4 for gene in order}) == wanted
    assert np.isnan(gains).all()


def test_the_hybrid_covers_the_graph_first_and_is_lcmd_afterwards(learned, graph):
    entry = registry.load("selection.selectors", "cover_then_lcmd")
    assert entry.START == "reach@usage"
    assert rank("cover_then_lcmd", learned)[0].tolist() == rank("lcmd", learned)[0].tolist()


@pytest.mark.parametrize("name", SELECTORS)
def test_a_batch_is_of_the_pool_ignores_its_order_and_can_be_all_of_it(name, learned):
    pool = GENES[4:]
    batch, gains = rank(name, learned, budget=5, seed=3)
    assert len(set(batch)) == len(batch) == len(gains) == 5
    assert set(batch) <= set(pool)
    assert rank(name, learned, pool=pool[::-1], labelled=GENES[3::-1], budget=5, seed=3)[0].tolist() == batch.tolist()
    assert sorted(rank(name, learned)[0]) == sorted(pool)
    nothing = Learned(GENES, np.eye(18), 100.0, np.zeros((18, 7)))
    assert len(set(rank(name, nothing, budget=5)[0])) == 5  # a model that has learned nothing


@pytest.mark.parametrize("name", SELECTORS)
@pytest.mark.parametrize(
    ("pool", "options", "message"),
    [
        ([], {}, "empty"),
        (["G05", "G06", "G05"], {}, "G05 is in the pool twice"),
        (["G05", "G06"], {"budget": 3}, "a budget of 3 of a pool of 2 genes"),
        (["G03", "G06"], {}, "G03 is in the pool, but was measured already"),
        (["G05", "G99"], {}, "the model knows nothing of gene G99"),
    ],
)
def test_an_unusable_pool_is_refused_in_rounds_too(name, learned, pool, options, message):
    with pytest.raises(InputError, match=message):
        rank(name, learned, pool=pool, **options)


@pytest.mark.parametrize("name", SELECTORS)
def test_without_a_model_a_selector_in_rounds_is_refused(name):
    with pytest.raises(InputError, match="there is no model yet"):
        rank(name, None)


def test_learning_takes_the_noise_of_least_leave_one_out_error_and_refuses_what_is_no_number(learned, generator):
    measured, delta = np.arange(4, 12), generator.normal(size=(8, 5))
    found = learned_by_ridge(GENES, 3 * learned.kernel, measured, delta)
    kernel, mean = learned.kernel, delta.mean(axis=0)
    coefficients, ridge = fit_dual(kernel[np.ix_(measured, measured)], delta - mean)
    np.testing.assert_allclose(found.kernel, kernel)
    assert found.noise == pytest.approx(min(ridge, RIDGES[-2]))
    np.testing.assert_allclose(found.predicted, mean + kernel[:, measured] @ coefficients)
    broken = kernel.copy()
    broken[2, 3] = np.nan
    with pytest.raises(InputError, match="is no number"):
        learned_by_ridge(GENES, broken, measured, delta)
    with pytest.raises(InputError, match="nothing is measured yet"):
        learned_by_ridge(GENES, kernel, np.array([], dtype=int), delta[:0])


def make_screen(generator):
    profiles = anndata.AnnData(generator.normal(size=(18, 6)).astype(np.float32))
    profiles.obs_names = list(GENES)
    rows = [
        (split, gene, "test" if index % 6 == split else "pool") for split in (0, 1) for index, gene in enumerate(GENES)
    ]
    return profiles, pd.DataFrame(rows, columns=["split", "perturbation", "role"])


def in_rounds(profiles, splits, graph, selectors=("bald", "iterpert", "cover_then_lcmd")):
    settings = SETTINGS, ROUNDS, 3
    return select_in_rounds("s", list(selectors), profiles, splits, graph, (graph,), settings, 5)[0]


def test_rounds_have_the_sizes_asked_for_and_start_as_the_selector_of_the_first_round(generator, graph):
    profiles, splits = make_screen(generator)
    table = in_rounds(profiles, splits, graph)
    sizes = table.groupby(["selector", "split", "draw"])["round"].agg(list)
    assert len(sizes) == 3 * 2 * 2
    assert all(rounds == [0] * 3 + [1] * 3 + [2] * 3 for rounds in sizes)  # 20, 40, 60 % of 15
    random, _ = rank_perturbations("s", ["random"], splits, None, (), SETTINGS, 5)
    cover, _ = rank_perturbations("s", ["reach@usage"], splits, graph, (), SETTINGS, 5)
    for (selector, split, draw), rows in table.groupby(["selector", "split", "draw"]):
        one_shot = cover if selector == "cover_then_lcmd" else random
        own = one_shot[(one_shot["split"] == split) & (one_shot["draw"] == (draw if one_shot is random else 0))]
        assert rows["gene"].iloc[:3].tolist() == own["gene"].iloc[:3].tolist()


def test_each_round_is_the_selector_on_a_model_of_what_was_measured(generator, graph):
    profiles, splits = make_screen(generator)
    table = in_rounds(profiles, splits, graph, ["bald"]).query("split == 1 and draw == 1")
    pool = sorted(splits.query("split == 1 and role == 'pool'")["perturbation"])
    measured = table.query("round < 2")["gene"].tolist()
    delta = profiles.to_df().loc[sorted(measured)].to_numpy(dtype=float)
    rows = np.flatnonzero(np.isin(pool, measured))
    known = learned_by_ridge(np.array(pool), gene_kernel(graph, pool), rows, delta)
    evidence = Evidence(SETTINGS, graph, (), (), known)
    left = [gene for gene in pool if gene not in measured]
    seed = derive(5, "rounds", "s", "bald", 1, 1, 2)
    expected, _ = registry.load("selection.selectors", "bald").rank(
        left, evidence, budget=3, labelled=tuple(measured), seed=seed
    )
    assert table.query("round == 2")["gene"].tolist() == expected.tolist()


def test_profiles_that_were_not_measured_have_no_influence(generator, graph):
    profiles, splits = make_screen(generator)
    before = in_rounds(profiles, splits, graph).query("split == 0")
    changed = profiles.copy()
    tests = splits.query("split == 0 and role == 'test'")["perturbation"]
    measured = set(before["gene"])
    never = [gene for gene in GENES if gene not in measured or gene in set(tests)]
    assert len(never) >= 3
    changed.X[np.isin(GENES, never)] += 100
    pd.testing.assert_frame_equal(before, in_rounds(changed, splits, graph).query("split == 0"))


@pytest.mark.parametrize("name", SELECTORS)
def test_genes_outside_the_graph_are_chosen_in_rounds_too(name, generator):
    profiles, splits = make_screen(generator)
    part = graph_from_edges(pd.DataFrame({"source": GENES[:6], "target": GENES[1:7], "weight": 0.5}))
    table = in_rounds(profiles, splits, part, [name]).query("split == 0 and draw == 0")
    assert table["gene"].is_unique
    assert len(table) == 9
    other = graph_from_edges(pd.DataFrame({"source": ["X1"], "target": ["X2"], "weight": [0.5]}))
    with pytest.raises(InputError, match="none of the 15 genes of the pool is in the graph"):
        in_rounds(profiles, splits, other, [name])


def test_a_split_with_a_gene_that_the_screen_does_not_have_is_refused(generator, graph):
    profiles, splits = make_screen(generator)
    wrong = splits.replace({"perturbation": {"G05": "G99"}})
    with pytest.raises(InputError, match="gene G99 of a split is not in the screen"):
        in_rounds(profiles, wrong, graph)


def test_sizes_of_rounds_in_percent_and_perturbations():
    percent = SimpleNamespace(first=10, batch=10, rounds=4, unit="percent")
    assert round_sizes(120, percent, 10) == [12, 24, 36, 48, 60]
    assert round_sizes(30, percent, 10) == [10, 12, 15]
    counts = SimpleNamespace(first=100, batch=100, rounds=5, unit="perturbations")
    assert round_sizes(874, counts, 10) == [100, 200, 300, 400, 500, 600]
    assert round_sizes(350, counts, 10) == [100, 200, 300, 350]
