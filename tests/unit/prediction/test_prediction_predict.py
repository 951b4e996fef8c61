"""Predicted profiles: against scikit-learn, honest about held-out perturbations and what cannot be told."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.prediction.held_out import accuracy, stratum
from scarceseq.prediction.predict import most_changed, nearest_measured, predict_screen
from scarceseq.prediction.settings import PredictionSettings
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct
from sklearn.model_selection import KFold

FAMILIES, MEMBERS = 6, 10
GENES = np.array([f"G{gene:02d}" for gene in range(FAMILIES * MEMBERS)])


def family_graph():
    """Genes of a family are linked."""
    family = np.arange(len(GENES)) % FAMILIES
    pairs = [(a, b, 0.5) for i, a in enumerate(GENES) for j, b in enumerate(GENES) if i != j and family[i] == family[j]]
    return graph_from_edges(pd.DataFrame(pairs, columns=["source", "target", "weight"]))


def screen(signal, seed=0, measured=40):
    """Profiles of 40 genes: an effect of each family times `signal`, and noise."""
    generator = np.random.default_rng(seed)
    effect = signal * generator.normal(size=(FAMILIES, 25))[np.arange(measured) % FAMILIES]
    values = 0.5 + effect + generator.normal(size=(measured, 25))
    columns = [*GENES[:5], *(f"C{column}" for column in range(20))]
    data = anndata.AnnData(values.astype(np.float32), uns={"kind": "cells"})
    data.obs_names, data.var_names = GENES[:measured], columns
    return data


def run(signal, genes=(), **changes):
    return predict_screen(screen(signal), [family_graph()], genes, PredictionSettings(graphs=["g"], **changes), 3)


def test_profiles_and_deviations_are_those_of_a_gaussian_process_on_all_that_was_measured():
    made = run(1.5, predictors=["training_mean", "mean_kernel"])
    assert made.summary["predictor"] == "mean_kernel"
    data, genes = screen(1.5), made.profiles.obs_names.to_numpy(dtype=str)
    features = mean_kernel_features([family_graph()], genes).toarray()
    inside = np.isin(genes, data.obs_names)
    delta = data[genes[inside]].X.astype(float)
    peer = GaussianProcessRegressor(DotProduct(0, "fixed"), alpha=1.0, optimizer=None).fit(features[inside], delta)
    mean, spread = peer.predict(features, return_std=True)
    inverse = np.linalg.inv(features[inside] @ features[inside].T + np.eye(40))
    amplitude = np.diag(delta.T @ inverse @ delta) / 40
    np.testing.assert_allclose(made.profiles.X, mean, atol=1e-5)
    share = spread[:, 0] if spread.ndim == 2 else spread
    np.testing.assert_allclose(made.profiles.layers["sd"], np.sqrt(amplitude)[None] * share[:, None], atol=1e-5)


def test_a_screen_that_follows_its_graph_is_better_than_the_mean_and_one_of_noise_is_not():
    strong, noise = run(1.5), run(0.0)
    assert strong.summary["better_than_mean"]
    assert strong.summary["relative_error"] < 0.7
    assert not noise.summary["better_than_mean"]
    assert noise.summary["relative_error"] > 0.95
    truth = screen(1.5, measured=60)
    unseen = GENES[40:]
    error = ((strong.profiles[unseen].X - truth[unseen].X) ** 2).sum()
    assert error < 0.75 * ((screen(1.5).X.mean(axis=0) - truth[unseen].X) ** 2).sum()


def test_deviations_hold_what_they_promise():
    shares = [
        run(1.5, predictors=["training_mean", "mean_kernel"]).accuracy.set_index("stratum").loc["all", "within_95"]
    ]
    assert 0.9 < np.mean(shares) < 0.99


def test_what_is_held_out_is_not_looked_at():
    """A profile of its own, unlike all others, is predicted no better for being in the screen."""
    data = screen(1.5)
    data.X[0] = 1000.0
    made = predict_screen(data, [family_graph()], (), PredictionSettings(graphs=["g"], predictors=["mean_kernel"]), 3)
    assert made.accuracy["relative_error"].iloc[0] > 0.9


def test_the_relative_errors_of_the_choice_are_those_of_folds_by_scikit_learn():
    made = run(1.0, predictors=["training_mean", "mean_kernel"], folds=40)  # folds of one: their order has no say
    data = screen(1.0)
    features, delta = mean_kernel_features([family_graph()], GENES[:40]).toarray(), data.X.astype(float)
    counted = data.obs_names.to_numpy()[:, None] != data.var_names.to_numpy()[None]
    error = mean = 0.0
    for train, test in KFold(40).split(delta):
        peer = GaussianProcessRegressor(DotProduct(0, "fixed"), alpha=1.0, optimizer=None)
        found = peer.fit(features[train], delta[train]).predict(features[test])
        error += (((found - delta[test]) ** 2) * counted[test]).sum() / counted[test].sum()
        mean += (((delta[train].mean(axis=0) - delta[test]) ** 2) * counted[test]).sum() / counted[test].sum()
    found = made.choice.set_index("predictor")["relative_error"]
    assert found["mean_kernel"] == pytest.approx(error / mean, rel=1e-5)
    assert found["training_mean"] == 1


def test_the_genes_asked_for_are_predicted_and_strangers_get_the_mean_effect():
    made = run(1.5, genes=["G50", "G03", "STRANGER"])
    assert made.profiles.obs_names.tolist() == ["G03", "G50", "STRANGER"]
    assert made.profiles.obs["measured"].tolist() == [True, False, False]
    assert made.profiles.obs.loc["STRANGER", "stratum"] == "unlike all measured"
    assert made.profiles.obs.loc["G50", "nearest"] in {f"G{gene:02d}" for gene in range(40) if gene % 6 == 50 % 6}
    assert made.summary["outside"] == 1
    assert (made.profiles["STRANGER"].layers["sd"] >= made.profiles["G50"].layers["sd"]).all()


def test_the_most_changed_genes_are_those_of_the_largest_change_over_its_deviation():
    data = anndata.AnnData(np.array([[3.0, -4.0, 1.0], [1.0, 2.0, 9.0]], dtype=np.float32))
    data.obs_names, data.var_names = ["A", "C"], ["A", "B", "C"]
    data.layers["sd"] = np.array([[1, 1, 0.1], [1, 4, 1]], dtype=np.float32)
    found = most_changed(data, 2, np.array([0.5, 0.6, 0.7]))
    assert found["mean_effect"].tolist() == [0.7, 0.6, 0.5, 0.6]
    assert found.set_index(["perturbation", "rank"])["gene"].to_dict() == {
        ("A", 1): "C",  # 10, then 4; its own gene is left out
        ("A", 2): "B",
        ("C", 1): "A",
        ("C", 2): "B",
    }
    assert most_changed(data, 0, np.zeros(3)).empty


def test_the_nearest_measured_gene_is_another_one():
    features = mean_kernel_features([family_graph()], GENES, constant=0.0)
    dense = (features @ features.T).toarray()
    nearest, largest = nearest_measured(features, np.arange(60), 30, block=7)
    for gene in range(60):
        others = [other for other in range(30) if other != gene]
        assert largest[gene] == pytest.approx(max(dense[gene, others].max(), 0))
        assert nearest[gene] != gene


def test_accuracy_is_a_ratio_of_sums_and_small_strata_have_no_interval():
    table = pd.DataFrame({"error": [1.0] * 12 + [3.0] * 4, "mean_error": 2.0, "similarity": [0.5] * 12 + [0.0] * 4})
    table["stratum"], table["within_95"] = table["similarity"].map(stratum), 0.95
    found = accuracy(table, 0.95, np.random.default_rng(0)).set_index("stratum")
    assert found.loc["all", "relative_error"] == pytest.approx(24 / 32)
    assert found["relative_error"].tolist()[1:] == [0.5, 1.5]
    assert found["low"].isna().tolist() == [False, False, True]
    assert found.loc["all", "low"] < 0.75 < found.loc["all", "high"]


def test_the_same_seed_gives_the_same_bytes():
    first, again = run(1.0), run(1.0)
    np.testing.assert_array_equal(first.profiles.X, again.profiles.X)
    pd.testing.assert_frame_equal(first.accuracy, again.accuracy)


def test_a_screen_of_few_perturbations_is_refused():
    with pytest.raises(InputError, match="9 perturbations, of which nothing can be learned"):
        predict_screen(screen(1.0, measured=9), [family_graph()], (), PredictionSettings(graphs=["g"]), 1)
