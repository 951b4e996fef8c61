"""Metrics are those of the field, leave out the perturbed gene, and know their floor and ceiling."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.perturbation.metrics import METRICS, defined_for
from scarceseq.perturbation.truth import read_truth
from scarceseq.screen.differential import no_differential_genes


@pytest.fixture
def profiles():
    generator = np.random.default_rng(4)
    data = anndata.AnnData(generator.normal(size=(6, 9)).astype(np.float32))
    data.obs_names, data.var_names = [f"G{row}" for row in range(6)], [f"G{column}" for column in range(9)]
    data.obs["reliability"] = [0.5, -0.2, 0.8, 0.1, 0.3, 1.0]
    data.obs["reliability_centred"] = 0.5
    data.obs["half_squared_error"] = 0.4
    data.uns = {"kind": "cells", "transductive": False}
    return data


DIFFERENTIAL = pd.DataFrame({"perturbation": ["G0", "G0", "G5"], "gene": ["G0", "G3", "G1"], "rank": [1, 2, 1]})


def test_values_equal_those_computed_gene_by_gene(profiles):
    test, pool = np.array([0, 5]), np.array([1, 2, 3, 4])
    truth = read_truth(profiles, DIFFERENTIAL, test, pool)
    prediction = np.random.default_rng(1).normal(size=(2, 9))
    measured = profiles.X.astype(float)
    others = np.array([1, 2, 3, 4, 5, 6, 7, 8])  # without G0, the perturbed gene
    p, y, mean = prediction[0, others], measured[0, others], measured[pool].mean(axis=0)[others]
    value = {name: METRICS[name].value(prediction, truth)[0] for name in defined_for("cells")}
    assert value["mse"] == pytest.approx(((p - y) ** 2).mean())
    assert value["pearson_delta"] == pytest.approx(np.corrcoef(p, y)[0, 1])
    assert value["pearson_delta_perturbed_mean"] == pytest.approx(np.corrcoef(p - mean, y - mean)[0, 1])
    assert value["mse_top"] == pytest.approx((prediction[0, 3] - measured[0, 3]) ** 2)


def test_a_change_of_the_perturbed_gene_itself_changes_no_metric(profiles):
    truth = read_truth(profiles, DIFFERENTIAL, np.array([0, 5]), np.array([1, 2]))
    prediction = np.random.default_rng(1).normal(size=(2, 9))
    changed = prediction.copy()
    changed[0, 0] = changed[1, 5] = 99
    for name in defined_for("cells"):
        np.testing.assert_array_equal(METRICS[name].value(changed, truth), METRICS[name].value(prediction, truth))


def test_the_mean_of_the_pool_says_nothing_against_the_perturbed_mean(profiles):
    truth = read_truth(profiles, DIFFERENTIAL, np.array([0, 5]), np.array([1, 2]))
    mean = np.tile(profiles.X[[1, 2]].astype(float).mean(axis=0), (2, 1))
    assert METRICS["pearson_delta_perturbed_mean"].value(mean, truth).tolist() == [0, 0]


def test_ceilings_follow_from_split_halves(profiles):
    truth = read_truth(profiles, DIFFERENTIAL, np.array([0, 1]), np.array([2, 3]))
    assert METRICS["pearson_delta"].ceiling(truth) == pytest.approx([np.sqrt(1 / 1.5), 0])
    assert METRICS["mse"].ceiling(truth) == pytest.approx([0.1, 0.1])
    assert np.isnan(METRICS["mse_top"].ceiling(truth)).all()  # the noise of single genes is not given here


def test_a_perfect_predictor_of_a_noisy_profile_reaches_the_ceilings():
    """Oracle: simulation with known truth; ceilings estimated from halves against the score of the truth itself."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(200, 300))
    halves = [truth + 1.5 * generator.normal(size=truth.shape) for _ in range(2)]
    measured = (halves[0] + halves[1]) / 2
    half = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(*halves, strict=True)])
    reached = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(truth, measured, strict=True)])
    assert np.sqrt(2 * half / (1 + half)).mean() == pytest.approx(reached.mean(), abs=0.01)
    assert ((halves[0] - halves[1]) ** 2).mean() / 4 == pytest.approx(((truth - measured) ** 2).mean(), rel=0.02)


def test_coordinates_carry_only_what_a_rotation_leaves_alone(profiles):
    profiles.uns["kind"] = "coordinates"
    truth = read_truth(profiles, no_differential_genes(), np.array([0, 5]), np.array([1, 2]))
    prediction = np.random.default_rng(1).normal(size=(2, 9))
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(9, 9)))[0]
    turned = profiles.copy()
    turned.X = profiles.X @ rotation
    turned_truth = read_truth(turned, no_differential_genes(), np.array([0, 5]), np.array([1, 2]))
    assert set(defined_for("coordinates")) == {"mse", "cosine", "centroid_accuracy"}
    for metric in defined_for("coordinates").values():
        np.testing.assert_allclose(
            metric.value(prediction @ rotation, turned_truth), metric.value(prediction, truth), rtol=1e-5
        )
    assert all(metric.undefined.get("coordinates", True) for metric in METRICS.values())
