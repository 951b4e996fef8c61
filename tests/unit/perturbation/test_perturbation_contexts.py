"""Effects measured elsewhere. Oracles: pandas, numpy's least squares, generalised least squares written out."""

import importlib.util
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.contexts import filled, measured_elsewhere
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.perturbation.predictors import mean_kernel, other_contexts, other_contexts_kernel
from scarceseq.perturbation.prior import Prior

NAMES = np.array([f"P{place:02d}" for place in range(20)])
GENES = np.array([f"C{place}" for place in range(6)])
ROWS = np.arange(12)


def profiles(rows, columns, seed):
    data = anndata.AnnData(np.random.default_rng(seed).normal(size=(len(rows), len(columns))))
    data.obs_names, data.var_names = rows, columns
    return data


def make_prior(elsewhere):
    pairs = [(NAMES[place], NAMES[(place + step) % 20], 0.5) for place in range(20) for step in (1, 3)]
    graph = graph_from_edges(pd.DataFrame(pairs, columns=["source", "target", "weight"]))
    return Prior(NAMES, GENES, graph, kernels=(graph,), contexts=elsewhere)


def test_effects_elsewhere_are_means_over_the_contexts_that_have_them():
    first, second = profiles(NAMES[5:15], GENES[:4], 1), profiles([*NAMES[:8], "other"], [*GENES[2:], "more"], 2)
    found = pd.DataFrame(measured_elsewhere(NAMES, GENES, [first, second]), NAMES, GENES)
    both = pd.concat([first.to_df(), second.to_df()]).groupby(level=0).mean()  # the mean leaves out what is missing
    pd.testing.assert_frame_equal(found, both.reindex(index=NAMES, columns=GENES), check_names=False)
    with pytest.raises(InputError, match="none of them has a perturbation and a gene of this screen"):
        measured_elsewhere(NAMES, GENES, [profiles(["x"], GENES, 1)])
    whole = filled(found.to_numpy())
    np.testing.assert_allclose(whole[19], found.mean())
    assert np.array_equal(whole[np.isfinite(found)], found.to_numpy()[np.isfinite(found)])
    assert filled(np.full((2, 1), np.nan)).tolist() == [[0], [0]]


def test_the_slope_is_that_of_least_squares_with_a_mean_for_each_gene():
    generator = np.random.default_rng(3)
    elsewhere = generator.normal(size=(20, 6))
    delta = 0.6 * elsewhere + 0.4 * generator.normal(size=(20, 6)) + np.arange(6)
    elsewhere[4] = np.nan
    model = other_contexts.fit(delta[ROWS], ROWS, other_contexts.prepare(make_prior(elsewhere)))
    used = np.delete(ROWS, 4)
    design = np.vstack([np.column_stack([elsewhere[row], np.eye(6)]) for row in used])
    expected = np.linalg.lstsq(design, delta[used].ravel(), rcond=None)[0]
    assert model.slope == pytest.approx(expected[0])
    np.testing.assert_allclose(
        other_contexts.predict(model, [15])[0],
        delta[ROWS].mean(axis=0) + expected[0] * (elsewhere[15] - elsewhere[used].mean(axis=0)),
    )
    np.testing.assert_allclose(other_contexts.predict(model, [4])[0], delta[ROWS].mean(axis=0))


def test_the_slope_beside_a_process_is_that_of_generalised_least_squares():
    generator = np.random.default_rng(5)
    elsewhere = generator.normal(size=(20, 6))
    delta = 0.8 * elsewhere + generator.normal(size=(20, 6))
    prior = make_prior(elsewhere)
    features = mean_kernel_features(prior.kernels, NAMES).toarray()
    kernel = features @ features.T
    inverse = np.linalg.inv(kernel[np.ix_(ROWS, ROWS)] + np.eye(12))
    stacked = np.kron(inverse, np.eye(6))
    own = elsewhere[ROWS].ravel()
    slope = (own @ stacked @ delta[ROWS].ravel()) / (own @ stacked @ own)
    model = other_contexts_kernel.fit(delta[ROWS], ROWS, other_contexts_kernel.prepare(prior))
    assert model.slope == pytest.approx(slope)
    rest = kernel[np.ix_([15, 19], ROWS)] @ inverse @ (delta[ROWS] - slope * elsewhere[ROWS])
    np.testing.assert_allclose(other_contexts_kernel.predict(model, [15, 19]), slope * elsewhere[[15, 19]] + rest)


def test_contexts_that_say_nothing_leave_the_kernel_ridge():
    delta = np.random.default_rng(6).normal(size=(20, 6))
    prior = make_prior(np.zeros((20, 6)))
    with_them = other_contexts_kernel.fit(delta[ROWS], ROWS, other_contexts_kernel.prepare(prior))
    without = mean_kernel.fit(delta[ROWS], ROWS, mean_kernel.prepare(prior))
    np.testing.assert_allclose(
        other_contexts_kernel.predict(with_them, [15]), mean_kernel.predict(without, [15]), atol=1e-12
    )
    assert other_contexts.fit(delta[ROWS], ROWS, np.full((20, 6), np.nan)).slope == 0


@pytest.mark.parametrize("predictor", [other_contexts, other_contexts_kernel])
def test_without_contexts_they_are_refused(predictor):
    with pytest.raises(InputError, match="name other screens by the screen's key contexts"):
        predictor.prepare(make_prior(None))


def test_the_curve_of_a_new_context_ends_alike_however_it_was_chosen_and_is_the_same_again():
    path = Path(__file__).parents[3] / "benchmarks/tools/transfer_curve.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    first = tool.errors_of_world(3)
    pd.testing.assert_frame_equal(first, tool.errors_of_world(3))
    whole = first[first["measured"] == 1].groupby("predictor")["error"]
    assert (whole.max() - whole.min()).max() < 1e-9
    _, _, new, other = tool.two_contexts(3)
    order = np.random.default_rng(tool.derive(3, "split")).permutation(len(new))
    test, pool = order[:30], order[30:]
    floor = ((new[test] - new[pool].mean(axis=0)) ** 2).mean()
    assert first["error"].iloc[0] == pytest.approx(((other[test] - new[test]) ** 2).mean() / floor)
