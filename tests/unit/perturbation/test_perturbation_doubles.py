"""Doubles predicted, and their genetic interactions.

Oracles: loops, all pairs of genes solved one by one with the median that scipy finds, the package dcor 0.7 (its values
are kept here), closed forms, and the layers of GEARS applied by hand.
"""

from itertools import combinations

import anndata
import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.evaluate import evaluate
from scarceseq.perturbation.given import score_given
from scarceseq.perturbation.interaction_measures import distance_correlation, gene_pairs, spatial_median, theil_sen
from scarceseq.perturbation.interaction_summary import summarise_interactions
from scarceseq.perturbation.interactions import (
    CLASSES,
    SCORES,
    PredictedInteractions,
    interaction,
    scores_of,
    true_beside_predicted,
)
from scarceseq.perturbation.predictors import additive, gears, matching_mean
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.strata import stratify
from scarceseq.perturbation.training_cells import Cells
from scarceseq.screen.combinations import combined, genes_of
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import TheilSenRegressor
from smooth_case import SETTINGS

SINGLES = [f"A{gene:02d}" for gene in range(12)]
DOUBLES = [combined(pair) for pair in combinations(SINGLES[:6], 2)] + ["A06+A07", "A10+A11"]
NAMES = np.array(sorted(SINGLES + DOUBLES))
COLUMNS = np.array([*SINGLES[:3], *(f"C{column:02d}" for column in range(30))])


def make_screen(synergy=1.0):
    """Doubles are sums of singles, times `synergy` for the first three; one split: A05 and A11 are unseen."""
    generator = np.random.default_rng(0)
    effect = {name: generator.normal(size=33) for name in SINGLES}
    factor = {name: synergy if name in DOUBLES[:3] else 1.0 for name in NAMES}
    delta = np.array([factor[name] * sum(effect[gene] for gene in genes_of(name)) for name in NAMES])
    data = anndata.AnnData(delta.astype(np.float32))
    data.obs_names, data.var_names, data.uns = NAMES, COLUMNS, {"kind": "cells", "transductive": False}
    unseen = {"A05", "A11"}
    test = [name for name in NAMES if unseen & set(genes_of(name)) or name in DOUBLES[:10]]
    splits = pd.DataFrame({"split": 0, "perturbation": NAMES, "role": np.where(np.isin(NAMES, test), "test", "pool")})
    empty = pd.DataFrame({"perturbation": [], "gene": [], "rank": [], "rank_non_dropout": []})
    return {"profiles": data, "differential": empty, "splits": splits}


def pool_of(screen):
    role = screen["splits"].set_index("perturbation")["role"]
    return np.flatnonzero(role[NAMES] == "pool"), np.flatnonzero(role[NAMES] == "test")


def test_additive_and_matching_mean_by_hand():
    screen = make_screen(2.0)
    delta, (pool, test) = np.asarray(screen["profiles"].X, dtype=float), pool_of(screen)
    profile = dict(zip(NAMES, delta, strict=True))
    alone = [name for name in NAMES[pool] if name in SINGLES]
    assert "A06+A07" in NAMES[pool]
    means = {additive: np.mean([profile[name] for name in alone], axis=0), matching_mean: delta[pool].mean(axis=0)}
    for predictor, put_together in ((additive, np.sum), (matching_mean, np.mean)):
        model = predictor.fit(delta[pool], pool, predictor.prepare(Prior(NAMES, COLUMNS)))
        for row, found in zip(test, predictor.predict(model, test), strict=True):
            genes = [profile[gene] if gene in alone else means[predictor] for gene in genes_of(NAMES[row])]
            np.testing.assert_allclose(found, put_together(genes, axis=0))


def test_a_double_of_seen_genes_is_the_sum_and_singles_unseen_the_mean_of_singles():
    screen = make_screen()
    values, errors = evaluate({"screen": "s", "predictor": "additive", "source": "none"}, screen, Prior(NAMES, COLUMNS))
    seen2 = [name for name in DOUBLES[:10] if not {"A05", "A11"} & set(genes_of(name))]
    error = errors.set_index("perturbation")["error"]
    np.testing.assert_allclose(error[seen2], 0, atol=1e-10)
    assert (error.drop(seen2) > 0.01).all()
    assert values.set_index("metric").loc["mse", "status"] == "run"


def test_strata_say_how_many_genes_were_seen():
    screen = make_screen()
    table = stratify("s", screen["profiles"], screen["splits"], {})
    seen = table[table["by"] == "seen"].set_index("perturbation")["stratum"]
    expected = {name: f"seen{2 - len({'A05', 'A11'} & set(genes_of(name)))}" for name in seen.index if "+" in name}
    assert seen.to_dict() == expected | {"A05": "single", "A11": "single"}
    assert len(set(seen)) == 3


def test_distance_correlation_is_that_of_another_package():
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=40), generator.normal(size=40)
    double = 1.2 * first + 0.4 * second + 0.5 * generator.normal(size=40)
    both = np.stack([first, second], axis=1)
    found = [distance_correlation(*pair) for pair in ((first, double), (second, double), (both, double))]
    found.append(distance_correlation(first, second))
    dcor = [0.780915223223642, 0.35444630026128104, 0.6330020278701392, 0.30755262682575846]
    np.testing.assert_allclose(found, dcor, rtol=1e-10)
    assert distance_correlation(first, 3 * first - 1) == pytest.approx(1)
    assert np.isnan(distance_correlation(first, np.ones(40)))


def test_scores_are_those_of_all_pairs_of_genes_solved_one_by_one():
    generator = np.random.default_rng(1)
    first, second = generator.normal(size=(2, 25))
    double = 1.3 * first + 0.5 * second + 0.2 * generator.normal(size=25)
    double[:2] = 9  # genes that no fit should follow
    both = np.stack([first, second], axis=1)
    solved = np.array([np.linalg.solve(both[list(pair)], double[list(pair)]) for pair in combinations(range(25), 2)])
    median = minimize(lambda c: np.linalg.norm(solved - c, axis=1).sum(), np.median(solved, axis=0), tol=1e-12).x
    found = interaction(first, second, double, seed=1)
    assert (found["c1"], found["c2"]) == pytest.approx(tuple(median), abs=1e-5)
    c1, c2 = found["c1"], found["c2"]
    assert found["magnitude"] == pytest.approx((c1**2 + c2**2) ** 0.5)
    assert found["dominance"] == pytest.approx(abs(np.log10(c1 / c2)))
    assert found["model_fit"] == pytest.approx(np.corrcoef(c1 * first + c2 * second, double)[0, 1])
    each = sorted(slow_distance_correlation(profile[:, None], double) for profile in (first, second))
    assert found["equality"] == pytest.approx(each[0] / each[1])
    assert found["similarity"] == pytest.approx(slow_distance_correlation(both, double))


@pytest.mark.parametrize("silent", [0, 12])
def test_weights_are_those_of_another_package(silent):
    """Oracle: scikit-learn, which stops within a thousandth; some genes do not answer to either gene alone."""
    generator = np.random.default_rng(6)
    both = generator.normal(size=(100, 2))
    double = both @ [1.3, 0.5] + 0.3 * generator.normal(size=100)
    both[:silent] = 0
    theirs = TheilSenRegressor(fit_intercept=False, max_subpopulation=10_000, max_iter=1000).fit(both, double).coef_
    np.testing.assert_allclose(theil_sen(both, double, gene_pairs(100, 1)), theirs, atol=5e-3)


def test_pairs_are_all_or_random_ones_of_two_genes():
    assert {tuple(pair) for pair in gene_pairs(40, 1)} == set(combinations(range(40), 2))
    pairs = gene_pairs(500, 1)
    assert pairs.shape == (10_000, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert set(pairs.ravel()) == set(range(500))
    np.testing.assert_array_equal(pairs, gene_pairs(500, 1))
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.05


def test_the_spatial_median_may_be_one_of_the_points():
    points = np.array([[0, 0], [0, 0], [0, 0], [1, 0], [0, 5.0]])
    np.testing.assert_allclose(spatial_median(points), [0, 0], atol=1e-12)
    np.testing.assert_allclose(spatial_median(np.ones((7, 2))), [1, 1])


def slow_distance_correlation(first, second):
    """Pair by pair, from the definition."""
    tables = []
    for values in (first, second[:, None]):
        count = len(values)
        table = np.array([[np.sqrt(((a - b) ** 2).sum()) for b in values] for a in values])
        double = np.zeros((count, count))
        for i in range(count):
            for j in range(count):
                double[i, j] = table[i, j] - table[i].sum() / count - table[:, j].sum() / count + table.sum() / count**2
        tables.append(double)
    a, b = tables
    return ((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())) ** 0.5


def test_a_double_that_is_a_mixture_has_its_weights():
    first, second = np.random.default_rng(2).normal(size=(2, 60))
    found = interaction(first, second, 1.5 * first + 0.15 * second, seed=3)
    assert (found["c1"], found["c2"]) == pytest.approx((1.5, 0.15))
    assert found["dominance"] == pytest.approx(1)
    assert found["model_fit"] == pytest.approx(1)
    assert all(np.isnan(value) for value in interaction(first, np.zeros(60), first, seed=3).values())


def scored(screen, predictor):
    profiles = screen["profiles"]
    watch = PredictedInteractions(profiles, 1)
    identity = {"screen": "s", "predictor": predictor, "source": "none"}
    evaluate(identity, screen, Prior(NAMES, COLUMNS), watch)
    predicted = watch.table().assign(predictor=predictor, source="none")
    return true_beside_predicted("s", profiles, predicted, 1)


def test_true_interactions_stand_beside_those_of_a_model_that_knows_none():
    table = scored(make_screen(2.0), "additive")
    wide = table.pivot(index="perturbation", columns="score", values=["true", "predicted"])
    seen2 = table.loc[table["stratum"] == "seen2", "perturbation"].unique()
    np.testing.assert_allclose(wide["predicted"].loc[seen2, ["c1", "c2", "magnitude"]], [[1, 1, 2**0.5]] * len(seen2))
    factor = [2.0 if name in DOUBLES[:3] else 1.0 for name in wide.index]
    np.testing.assert_allclose(wide["true"]["c1"], factor, atol=1e-4)
    np.testing.assert_allclose(wide["true"]["magnitude"], np.array(factor) * 2**0.5, atol=1e-4)
    judged = {name for name in NAMES[pool_of(make_screen())[1]] if "+" in name}
    assert set(wide.index) == judged
    assert list(table["score"].unique()) == list(SCORES)


def test_classes_are_the_extreme_tenth_by_their_score():
    table = scored(make_screen(2.0), "matching_mean")
    for (score, end), called in CLASSES.items():
        part = table[table["score"] == score]
        count = max(1, len(part) // 10)
        for side in ("true", "predicted"):
            inside = part[f"{side}_class"] == called
            if np.ptp(part[side]) < 1e-9:  # a mean of two has the weights one half, whatever the double
                assert score in ("magnitude", "model_fit")
                assert not inside.any()
                continue
            assert inside.sum() == count
            rest = part.loc[~inside, side]
            assert (
                (part.loc[inside, side].min() >= rest.max())
                if end == "high"
                else (part.loc[inside, side].max() <= rest.min())
            )
    truly = table[(table["true_class"] == "synergy")]["perturbation"]
    assert set(truly) <= set(DOUBLES[:3])


def test_measured_profiles_as_predictions_have_the_true_interactions():
    screen = make_screen(2.0)
    screen["profiles"].X += np.random.default_rng(5).normal(0, 0.3, screen["profiles"].shape).astype(np.float32)
    delta, (pool, test) = np.asarray(screen["profiles"].X, dtype=float), pool_of(screen)
    watch = PredictedInteractions(screen["profiles"], 1)
    watch(0, pool, test, lambda rows: delta[rows])
    table = true_beside_predicted("s", screen["profiles"], watch.table().assign(predictor="p", source="none"), 1)
    np.testing.assert_array_equal(table["true"], table["predicted"])
    summary = summarise_interactions(table)
    np.testing.assert_allclose(summary["correlation"], 1)
    np.testing.assert_allclose(summary["hits"].dropna(), 1)
    assert set(summary["class"]) == {"", *CLASSES.values()}


@pytest.mark.parametrize("all_rows", [True, False])
def test_predictions_handed_in_have_the_interactions_of_the_predictor_that_made_them(tmp_path, all_rows):
    """Additive predicts genes of the pool as they were measured, so that they need not be in the file."""
    screen = make_screen(2.0)
    screen["profiles"].X += np.random.default_rng(5).normal(0, 0.3, screen["profiles"].shape).astype(np.float32)
    pool, test = pool_of(screen)
    delta = np.asarray(screen["profiles"].X, dtype=float)
    model = additive.fit(delta[pool], pool, additive.prepare(Prior(NAMES, COLUMNS)))
    rows = np.arange(len(NAMES)) if all_rows else test
    table = pd.DataFrame(additive.predict(model, rows), columns=COLUMNS)
    table.insert(0, "perturbation", NAMES[rows])
    table.assign(split=0).to_parquet(tmp_path / "theirs.parquet")
    identity, watch = (
        {"screen": "s", "predictor": "additive", "source": "none"},
        PredictedInteractions(screen["profiles"], 1),
    )
    score_given(identity, screen, tmp_path / "theirs.parquet", "delta", watch)
    expected = PredictedInteractions(screen["profiles"], 1)
    evaluate(identity, screen, Prior(NAMES, COLUMNS), expected)
    assert len(watch.table()) > 5
    pd.testing.assert_frame_equal(watch.table(), expected.table(), rtol=1e-6)


def test_a_gene_alone_that_is_neither_given_nor_learned_from_leaves_the_double_without_scores(tmp_path):
    screen = make_screen()
    left_out = screen["splits"]["perturbation"].eq("A00")
    screen["splits"] = screen["splits"][~left_out]
    test = np.flatnonzero(np.isin(NAMES, screen["splits"].query("role == 'test'")["perturbation"]))
    table = pd.DataFrame(0.9 * np.asarray(screen["profiles"].X)[test], columns=COLUMNS)
    table.insert(0, "perturbation", NAMES[test])
    table.assign(split=0).to_parquet(tmp_path / "theirs.parquet")
    watch = PredictedInteractions(screen["profiles"], 1)
    identity = {"screen": "s", "predictor": "theirs", "source": "given"}
    score_given(identity, screen, tmp_path / "theirs.parquet", "delta", watch)
    scores = watch.table().set_index("perturbation")["magnitude"]
    with_it = scores.index.str.contains("A00")
    assert with_it.any()
    assert scores[with_it].isna().all()
    assert scores[~with_it].notna().all()


def test_a_screen_without_doubles_has_no_interactions():
    watch = PredictedInteractions(make_screen()["profiles"][:3], 1)
    watch(0, np.array([0]), np.array([], dtype=int), lambda rows: None)
    assert watch.table().empty
    assert {"perturbation", *SCORES} < set(watch.table())


@pytest.fixture(scope="module")
def trained():
    """GEARS on the cells of a screen with doubles; the graph lacks A11."""
    generator = np.random.default_rng(3)
    screen = make_screen()
    delta = np.vstack([np.zeros(33), screen["profiles"].X])
    condition = np.repeat(np.arange(len(delta)), [60, *[8] * len(NAMES)])
    values = np.maximum(4 + delta[condition] + 0.3 * generator.normal(size=(len(condition), 33)), 0)
    cells = Cells(sparse.csr_matrix(values.astype(np.float32)), condition, np.zeros(len(condition), int))
    edges = [(a, b, 0.5) for a, b in combinations(SINGLES[:11], 2)]
    graph = graph_from_edges(pd.DataFrame(edges, columns=["source", "target", "weight"]))
    features = gears.prepare(Prior(NAMES, COLUMNS, graph, cells=cells, settings=SETTINGS))
    pool, _ = pool_of(screen)
    return features, gears.fit(screen["profiles"].X[pool], pool, features), graph


def test_gears_adds_the_embeddings_of_both_genes(trained):
    """Oracle: the layers applied by hand to the sum of the two genes' nodes."""
    features, model, graph = trained
    network = model.network.eval()
    place = {gene: node for gene, node in zip(graph.nodes, graph.positions(graph.nodes), strict=True)}
    for name, nodes in zip(NAMES, features.node, strict=True):
        if "A11" not in name:
            assert [node for node in nodes if node >= 0] == [place[gene] for gene in genes_of(name)]
    row = int(np.flatnonzero(NAMES == "A06+A07")[0])
    found = network.hidden_states(torch.tensor([1 + row]))
    with torch.no_grad():
        nodes = network.perturbation_embedding
        for index, layer in enumerate(network.similarity_layers):
            nodes = layer(network.along_similarity(torch.relu(nodes) if index else nodes))
        pair = nodes[:, [place["A06"]]] + nodes[:, [place["A08"]]]
        by_hand = network.fuse_mlp(pair, torch.zeros(1, 1), torch.ones(1))
        other = nodes[:, [place["A06"]]] + nodes[:, [place["A07"]]]
        expected = network.fuse_mlp(other, torch.zeros(1, 1), torch.ones(1))
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, by_hand)


def test_gears_gives_the_mean_for_a_double_with_a_gene_outside_the_graph(trained):
    model = trained[1]
    rows = np.flatnonzero(np.isin(NAMES, ["A10+A11", "A00+A05"]))
    assert model.known[rows].tolist() == [True, False]
    found = gears.predict(model, rows)
    np.testing.assert_allclose(found[1], model.mean)
    assert not np.allclose(found[0], model.mean)


def test_genes_that_control_cells_hardly_have_do_not_pull_weights_to_zero():
    random = np.random.default_rng(11)
    first, second = random.normal(size=(2, 40))
    rows = np.stack([first, second, 0.8 * first + 0.5 * second + random.normal(0, 0.05, 40)])
    rare = np.where(random.random((3, 160)) < 0.05, random.normal(0, 0.1, (3, 160)), 0)
    var = pd.DataFrame({"control_mean": [1.0] * 40 + [0.01] * 160}, index=[f"C{gene}" for gene in range(200)])
    profiles = anndata.AnnData(np.hstack([rows, rare]), obs=pd.DataFrame(index=["A", "B", "A+B"]), var=var)
    found = scores_of(profiles, np.array([2]), lambda places: np.asarray(profiles.X)[places], 1).iloc[0]
    oracle = TheilSenRegressor(fit_intercept=False, random_state=0).fit(rows[:2].T, rows[2]).coef_
    np.testing.assert_allclose(found[["c1", "c2"]].to_numpy(float), oracle, atol=0.02)
    few = profiles[:, 35:].copy()  # five genes are expressed
    assert scores_of(few, np.array([2]), lambda places: np.asarray(few.X)[places], 1).isna().all(axis=None)
