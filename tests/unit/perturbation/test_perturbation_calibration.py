"""Controls, ceilings and the table of metrics: simulated worlds with known truth, scikit-learn, and by hand."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.perturbation.calibration import calibrate, simulate, simulated_ceiling
from scarceseq.perturbation.metric_table import NO_HALVES, metric_table
from scarceseq.perturbation.metrics import METRICS, defined_for
from scarceseq.perturbation.truth import Truth, gene_weights, read_truth
from scarceseq.screen.agreement import correlation
from scarceseq.screen.differential import no_differential_genes
from scarceseq.screen.splits import split_perturbations
from scipy import stats
from sklearn.metrics import mean_absolute_error, r2_score

GENES = [f"G{index:02d}" for index in range(40)]
COLUMNS = [f"C{index:02d}" for index in range(60)]


def make_profiles(signal=1.0, noise=0.5, seed=0, kind="cells"):
    """Profiles of known expectation, measured in two halves with noise of known size."""
    generator = np.random.default_rng(seed)
    expected = signal * generator.normal(size=(40, 60)) * np.linspace(0.2, 2, 60)
    halves = expected + noise * np.sqrt(2) * generator.normal(size=(2, 40, 60))
    measured = halves.mean(axis=0)
    data = anndata.AnnData(measured.astype(np.float32))
    data.obs_names, data.var_names = GENES, COLUMNS
    data.uns = {"kind": kind, "transductive": False}
    if kind == "cells":
        data.layers["score"] = data.layers["score_others"] = measured / noise
        mask = np.ones((40, 60), dtype=bool)
        data.obs["half_squared_error"] = ((halves[0] - halves[1]) ** 2).mean(axis=1)
        data.obs["reliability"] = correlation(*halves, mask)
        data.obs["reliability_centred"] = correlation(*(half - half.mean(axis=0) for half in halves), mask)
        data.layers["half_squared_difference"] = np.full((40, 60), 4 * noise**2)
        data.layers["first_half"], data.layers["second_half"] = halves
        for side, half in zip(("first", "second"), halves, strict=True):
            p_value = 2 * stats.norm.sf(np.abs(half) / (noise * np.sqrt(2)))
            data.layers[f"{side}_half_weight"] = 1 - stats.false_discovery_control(p_value, axis=1)
    return data, expected


def top_of(data, count=8):
    order = np.argsort(-np.abs(data.layers["score"]), axis=1)[:, :count]
    rows = [(GENES[row], COLUMNS[gene], rank + 1) for row in range(40) for rank, gene in enumerate(order[row])]
    return pd.DataFrame(rows, columns=["perturbation", "gene", "rank"]).assign(rank_non_dropout=lambda t: t["rank"])


def calibrated(data, splits=4):
    top = top_of(data) if data.uns["kind"] == "cells" else no_differential_genes()
    return calibrate("s", data, top, split_perturbations(GENES, splits, 0.25, 1), seed=3)


@pytest.fixture(scope="module")
def worlds():
    """Score of the expectation itself against the measurement, and the ceiling told from the measurement alone."""
    rows = []
    for seed in range(4):
        data, expected = make_profiles(seed=seed)
        truth = read_truth(data, top_of(data), np.arange(20), np.arange(20, 40))
        simulated = simulate(truth, 100 + seed)
        for name, metric in METRICS.items():
            reached = metric.value(expected[:20], truth).mean()
            rows.append((name, reached, simulated_ceiling(metric, simulated)))
    return pd.DataFrame(rows, columns=["metric", "reached", "ceiling"]).groupby("metric").mean()


@pytest.mark.parametrize("name", list(METRICS))
def test_ceilings_are_what_the_expected_profiles_reach(worlds, name):
    """Oracle: simulation with known expectation."""
    row = worlds.loc[name]
    assert row["ceiling"] == pytest.approx(row["reached"], abs=0.1 * max(abs(row["reached"]), 0.1))


def test_closed_ceilings_agree_with_simulated_ones():
    data, _ = make_profiles(noise=0.7)
    truth = read_truth(data, top_of(data), np.arange(20), np.arange(20, 40))
    for name in ("mse", "pearson_delta_perturbed_mean"):
        closed = METRICS[name].ceiling(truth).mean()
        assert simulated_ceiling(METRICS[name], simulate(truth, 1)) == pytest.approx(closed, rel=0.05)


def test_controls_are_those_of_their_definition():
    """Oracle: the interpolated duplicate written out for one split."""
    data, _ = make_profiles()
    splits = split_perturbations(GENES, 4, 0.25, 1)
    table = calibrated(data).set_index(["metric", "split", "kind"])["value"]
    role = splits[splits["split"] == 2].set_index("perturbation")["role"].loc[GENES]
    pool, test = (role == "pool").to_numpy(), (role == "test").to_numpy()
    first, second = data.layers["first_half"], data.layers["second_half"]
    mean = second[pool].mean(axis=0)
    weight = data.layers["first_half_weight"]
    positive = weight * second + (1 - weight) * mean
    errors = ((positive - first) ** 2).mean(axis=1)[test], ((mean - first) ** 2).mean(axis=1)[test]
    assert table["mse", 2, "positive"] == pytest.approx(errors[0].mean())
    assert table["mse", 2, "negative"] == pytest.approx(errors[1].mean())
    assert table["mse", 2, "wins"] == pytest.approx((errors[0] < errors[1]).mean())
    weight = data.layers["second_half_weight"]
    honest = ((weight * second + (1 - weight) * mean - first) ** 2).mean(axis=1)[test]
    assert table["mse", 2, "positive_second_half"] == pytest.approx(honest.mean())


def test_the_table_has_a_value_in_every_column_where_the_screen_has_cells():
    data, _ = make_profiles()
    table = metric_table(calibrated(data), {"s": "cells"}, 0.95)
    assert table["metric"].tolist() == list(METRICS)
    numbers = ["floor", "ceiling", "negative", "positive", "positive_second_half", "perfect", "dynamic_range", "wins"]
    assert table[numbers].notna().all(axis=None)
    expected = (table["positive"] - table["negative"]) / (table["perfect"] - table["negative"])
    np.testing.assert_allclose(table["dynamic_range"], expected)
    assert (table["range_low"] <= table["dynamic_range"]).all()
    assert (table["dynamic_range"] <= table["range_high"]).all()


def test_a_metric_tells_a_replicate_from_the_mean_where_there_is_signal_and_not_in_noise():
    told, blind = (
        metric_table(calibrated(make_profiles(signal)[0], 8), {"s": "cells"}, 0.95).set_index("metric")
        for signal in (1.0, 0.0)
    )
    assert (told["remark"] == "").all()
    assert told.loc["mse", "wins"] == 1
    centred = ["pearson_delta_perturbed_mean", "discrimination", "centroid_accuracy", "mse", "spearman_delta"]
    assert blind.loc[centred, "remark"].str.contains("tell a replicate").all()


def test_a_screen_without_cells_says_so():
    data, _ = make_profiles(kind="coordinates")
    table = metric_table(calibrated(data), {"s": "coordinates"}, 0.95).set_index("metric")
    run = table[table["status"] == "run"]
    assert set(run.index) == set(defined_for("coordinates"))
    assert (run["remark"] == NO_HALVES).all()
    assert run["floor"].notna().all()
    assert run["positive"].isna().all()
    assert table.loc["mse_top", "status"] == "not defined"
    assert len(table.loc["mse_top", "remark"]) > 10


def test_the_same_seed_gives_the_same_ceilings_and_another_does_not():
    data, _ = make_profiles()
    splits = split_perturbations(GENES, 2, 0.25, 1)
    first, again, other = (calibrate("s", data, top_of(data), splits, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


@pytest.fixture
def truth():
    generator = np.random.default_rng(5)
    delta, mask = generator.normal(size=(6, 30)), generator.random((6, 30)) > 0.1
    top = mask & (np.abs(delta) > 1)
    weights = gene_weights(generator.normal(size=(6, 30)), mask)
    return Truth(delta, mask, top, top, generator.normal(size=30), {}, weights_others=weights)


def test_added_metrics_equal_other_packages_or_their_definition(truth):
    prediction = truth.delta + np.random.default_rng(6).normal(size=(6, 30))
    value = {name: METRICS[name].value(prediction, truth) for name in METRICS}
    for row, genes in enumerate(truth.mask):
        p, y, top = prediction[row, genes], truth.delta[row, genes], truth.top[row, genes]
        centre, weights = truth.reference[genes], truth.weights_others[row, genes]
        assert value["mae"][row] == pytest.approx(mean_absolute_error(y, p))
        assert value["weighted_r2_delta"][row] == pytest.approx(r2_score(y - centre, p - centre, sample_weight=weights))
        ranks = np.corrcoef(stats.rankdata(p), stats.rankdata(y))[0, 1]
        assert value["spearman_delta"][row] == pytest.approx(ranks)
        size = np.abs(p)
        pairs = [(a > b) + 0.5 * (a == b) for a in size[top] for b in size[~top]]
        assert value["differential_auroc"][row] == pytest.approx(np.mean(pairs))
        order = top[np.argsort(-size)]
        precision = np.cumsum(order) / np.arange(1, len(order) + 1)
        assert value["differential_auprc"][row] == pytest.approx(precision[order].mean())
        distances = np.abs(np.abs(truth.delta[:, genes]) - np.abs(p)).sum(axis=1)
        assert value["discrimination_absolute"][row] == pytest.approx(1 - (distances < distances[row]).sum() / 6)


def test_a_perfect_prediction_has_the_perfect_value(truth):
    for name in ("mse", "mae", "weighted_r2_delta", "spearman_delta", "discrimination_absolute", "cosine"):
        np.testing.assert_allclose(METRICS[name].value(truth.delta, truth), METRICS[name].perfect, atol=1e-12)
    # here the most differential genes are those that change most
    for name in ("differential_auroc", "differential_auprc", "differential_recall"):
        np.testing.assert_allclose(METRICS[name].value(truth.delta, truth), 1)
