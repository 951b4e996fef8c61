"""V-optimal choice without a covariance matrix: against the matrix, refits by scikit-learn, and every set of a size."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.selection.posterior import Posterior, error_curve
from scipy import sparse
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct


@pytest.fixture
def features():
    """Of 25 genes, by two graphs, two genes in neither."""
    names = np.array([f"G{gene:02d}" for gene in range(25)])
    graphs = []
    for seed in (1, 2):
        source, target = np.random.default_rng(seed).integers(25, size=(2, 60))
        frame = pd.DataFrame({"source": names[source], "target": names[target], "weight": 0.5})
        graphs.append(graph_from_edges(frame[source != target]))
    return mean_kernel_features(graphs, np.array([*names[:23], "X1", "X2"]))


def variances(features, rows, noise):
    """Oracle: posterior variances by scikit-learn."""
    dense = features.toarray()
    if not len(rows):
        return (dense**2).sum(axis=1)
    peer = GaussianProcessRegressor(DotProduct(0, "fixed"), alpha=noise, optimizer=None)
    return peer.fit(dense[rows], np.zeros(len(rows))).predict(dense, return_std=True)[1] ** 2


@pytest.mark.parametrize("noise", [1.0, 0.1])
def test_gains_are_the_variance_that_a_measurement_takes(features, noise):
    worth = np.where(np.arange(25) < 10, np.arange(25) % 3 + 0.5, 0)
    posterior, rows = Posterior(features, worth, noise), []
    for gene in (3, 17, 24, 3):  # a replicate too
        before = worth @ variances(features, rows, noise)
        gains = [before - worth @ variances(features, [*rows, each], noise) for each in range(25)]
        np.testing.assert_allclose(posterior.gains(), gains, atol=1e-9)
        posterior.measure(gene)
        rows.append(gene)
        np.testing.assert_allclose(posterior.variance, variances(features, rows, noise), atol=1e-9)


def test_the_curve_is_the_mean_variance_of_what_is_not_measured(features):
    worth, order, measured = np.ones(25), [5, 1, 24, 20], [7, 8]
    worth[[0, 1]] = 0
    worth[2] = 3
    expected = []
    for size in range(5):
        rows = [*measured, *order[:size]]
        rest = np.setdiff1d(np.arange(25), rows)
        expected.append(np.average(variances(features, rows, 0.7)[rest], weights=worth[rest]))
    np.testing.assert_allclose(error_curve(features, order, measured, worth, 0.7), expected, atol=1e-10)


def test_no_target_left_is_no_number(features):
    worth = np.zeros(25)
    worth[4] = 1
    assert np.isnan(error_curve(features, [4], [], worth, 1.0)).tolist() == [False, True]


def test_greedy_is_at_least_near_the_best_of_all_pairs(features):
    """Brute force: all pairs; the first of greedy is the best single one."""
    worth, posterior = np.ones(25), Posterior(features, np.ones(25), 1.0)
    chosen = []
    for _ in range(2):
        chosen.append(int(np.argmax(posterior.gains())))
        posterior.measure(chosen[-1])
    left = {pair: worth @ variances(features, list(pair), 1.0) for pair in itertools.combinations(range(25), 2)}
    start, best = features.power(2).sum(), min(left.values())
    assert worth @ variances(features, chosen[:1], 1.0) == pytest.approx(
        min(worth @ variances(features, [gene], 1.0) for gene in range(25))
    )
    assert start - left[tuple(sorted(chosen))] >= (1 - 1 / np.e) * (start - best)


def test_a_gene_unlike_all_others_gains_its_own_variance_alone():
    single = sparse.csr_array(np.eye(3))
    np.testing.assert_allclose(Posterior(single, np.ones(3), 1.0).gains(), [0.5, 0.5, 0.5])
