"""Kernel ridge on the mean of several kernels: against scikit-learn, and what a gene without knowledge gets."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation import process
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.perturbation.predictors import mean_kernel, mean_kernel_tuned
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.ridge import RIDGES
from scarceseq.perturbation.walk import neighbourhood_cosine
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import StandardScaler


def random_graph(seed, genes=40, edges=150):
    generator = np.random.default_rng(seed)
    names = np.array([f"G{gene:02d}" for gene in range(genes)])
    source, target = generator.integers(genes, size=(2, edges))
    frame = pd.DataFrame({"source": names[source], "target": names[target], "weight": generator.uniform(0.1, 1, edges)})
    return graph_from_edges(frame[frame["source"] != frame["target"]])


@pytest.fixture
def world():
    """Two graphs, an embedding, 30 genes of which two are in none, profiles that follow the kernel, and the kernel."""
    generator = np.random.default_rng(3)
    graphs = random_graph(1), random_graph(2)
    genes = np.array([*graphs[0].nodes[:28], "X1", "X2"])
    vectors = pd.DataFrame(generator.normal(size=(28, 4)), index=genes[:28])
    kernels = []
    for graph in graphs:
        kernel = neighbourhood_cosine(graph, genes)
        np.fill_diagonal(kernel, 1)
        kernels.append(kernel)
    last = np.eye(30)
    last[:28, :28] = cosine_similarity(StandardScaler().fit_transform(vectors))
    kernel = (kernels[0] + kernels[1] + last) / 3 + 1
    delta = np.linalg.cholesky(kernel + 1e-9 * np.eye(30)) @ generator.normal(size=(30, 6))
    return Prior(genes, np.arange(6).astype(str), kernels=(*graphs, vectors)), delta, kernel


def test_inner_products_of_the_features_are_the_mean_of_the_kernels_and_one(world):
    prior, _, kernel = world
    features = mean_kernel.prepare(prior)
    np.testing.assert_allclose((features @ features.T).toarray(), kernel, atol=1e-12)


def test_predictions_are_those_of_scikit_learn_on_the_summed_kernel(world):
    prior, delta, kernel = world
    train, test = np.arange(0, 30, 2), np.arange(1, 30, 2)
    peer = KernelRidge(alpha=1.0, kernel="precomputed").fit(kernel[np.ix_(train, train)], delta[train])
    model = mean_kernel.fit(delta[train], train, mean_kernel.prepare(prior))
    found = mean_kernel.predict(model, test)
    np.testing.assert_allclose(found, peer.predict(kernel[np.ix_(test, train)]), atol=1e-10)


def test_deviations_are_those_of_scikit_learns_gaussian_process(world):
    prior, delta, _ = world
    features = mean_kernel.prepare(prior)
    dense, train, test = features.toarray(), np.arange(0, 30, 2), np.arange(1, 30, 2)
    model = mean_kernel.fit(delta[train], train, features)
    found = mean_kernel.deviation(model, test)
    for column in range(3):
        amplitude = model.amplitude[column]
        covariance = ConstantKernel(amplitude, "fixed") * DotProduct(0, "fixed")
        peer = GaussianProcessRegressor(covariance, alpha=amplitude, optimizer=None)
        mean, deviation = peer.fit(dense[train], delta[train, column]).predict(dense[test], return_std=True)
        np.testing.assert_allclose(mean_kernel.predict(model, test)[:, column], mean, atol=1e-8)
        np.testing.assert_allclose(found[:, column], deviation, atol=1e-8)


def test_the_amplitude_is_the_one_of_largest_likelihood(world):
    prior, delta, kernel = world
    model = mean_kernel.fit(delta, np.arange(30), mean_kernel.prepare(prior))
    inverse = np.linalg.inv(kernel + np.eye(30))

    def minus_log_likelihood(amplitude):
        return 30 * np.log(amplitude) + delta[:, 0] @ inverse @ delta[:, 0] / amplitude

    best = model.amplitude[0]
    assert minus_log_likelihood(best) < min(minus_log_likelihood(best * 1.01), minus_log_likelihood(best / 1.01))


def test_a_gene_of_which_nothing_is_known_gets_the_weighted_mean_and_the_widest_deviation(world):
    prior, delta, _ = world
    train = np.arange(20)
    model = mean_kernel.fit(delta[train], train, mean_kernel.prepare(prior))
    np.testing.assert_allclose(mean_kernel.predict(model, [28])[0], model.coefficients.sum(axis=0))
    spread = process.variance(model, np.arange(20, 30))
    assert spread.argmax() in (8, 9)
    assert (process.variance(model, train) < spread.min()).all()


def test_the_tuned_noise_has_the_least_leave_one_out_error(world):
    """Oracle: refitting scikit-learn's kernel ridge without each perturbation in turn."""
    prior, delta, kernel = world
    rows, errors = np.arange(20), []
    for noise in RIDGES:
        error = 0.0
        for left in rows:
            rest = np.delete(rows, left)
            peer = KernelRidge(alpha=noise, kernel="precomputed").fit(kernel[np.ix_(rest, rest)], delta[rest])
            error += ((peer.predict(kernel[np.ix_([left], rest)])[0] - delta[left]) ** 2).sum()
        errors.append(error)
    model = mean_kernel_tuned.fit(delta[rows], rows, mean_kernel_tuned.prepare(prior))
    assert model.noise == RIDGES[int(np.argmin(errors))]


def test_no_source_and_a_source_without_the_genes_are_refused():
    with pytest.raises(InputError, match="neither a graph nor an embedding"):
        mean_kernel_features((), ["A"])
    with pytest.raises(InputError, match="a graph has none of the genes"):
        mean_kernel_features((random_graph(1),), ["A", "B"])
    with pytest.raises(InputError, match="embedding has 0 of the perturbed genes"):
        mean_kernel_features((pd.DataFrame(np.ones((3, 2)), index=list("XYZ")),), ["A", "B"])
