"""Predictors learn from training perturbations alone, by formulas that can be checked."""

import numpy as np
import pandas as pd
import pytest
from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.components import graph_components
from scarceseq.perturbation.predictors import bilinear, graph_neighbours, graph_pca_forest, graph_ridge, training_mean
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.ridge import RIDGES, fit_dual
from scarceseq.perturbation.walk import neighbourhood_cosine
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler


def random_graph(seed, genes=40, edges=150):
    generator = np.random.default_rng(seed)
    names = np.array([f"G{gene:02d}" for gene in range(genes)])
    source, target = generator.integers(genes, size=(2, edges))
    frame = pd.DataFrame({"source": names[source], "target": names[target], "weight": generator.uniform(0.1, 1, edges)})
    return graph_from_edges(frame[frame["source"] != frame["target"]])


def prepare(predictor, genes, graph=None, columns=(), embedding=None):
    return predictor.prepare(Prior(np.asarray(genes), np.asarray(columns), graph, embedding))


def test_the_training_mean_is_the_mean():
    delta = np.arange(12.0).reshape(4, 3)
    model = training_mean.fit(delta, np.arange(4), None)
    assert training_mean.predict(model, np.array([7, 8])).tolist() == [[4.5, 5.5, 6.5]] * 2


def test_the_kernel_is_the_cosine_of_rows_of_the_normalised_graph_with_self_loops():
    graph = random_graph(1)
    weights = graph.incoming.toarray()
    weights = np.maximum(weights, weights.T) + np.eye(len(weights))
    degree = weights.sum(axis=1)
    rows = weights / np.sqrt(degree[:, None] * degree[None])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    genes = [graph.nodes[3], "not in the graph", graph.nodes[0]]
    kernel = neighbourhood_cosine(graph, genes)
    assert kernel[0, 2] == pytest.approx(rows[3] @ rows[0])
    assert np.diag(kernel) == pytest.approx([1, 0, 1])


@pytest.mark.parametrize("columns", [3, 50])
def test_the_ridge_constant_has_the_least_leave_one_out_error(columns):
    """Oracle: refitting without each sample in turn."""
    generator = np.random.default_rng(columns)
    features = generator.normal(size=(15, 6))
    kernel = features @ features.T / 6
    targets = features @ generator.normal(size=(6, columns)) + generator.normal(size=(15, columns))
    errors = []
    for ridge in RIDGES:
        error = 0
        for left_out in range(15):
            rest = np.delete(np.arange(15), left_out)
            alpha = np.linalg.solve(kernel[np.ix_(rest, rest)] + ridge * np.eye(14), targets[rest])
            error += ((targets[left_out] - kernel[left_out, rest] @ alpha) ** 2).sum()
        errors.append(error)
    coefficients, ridge = fit_dual(kernel, targets)
    assert ridge == RIDGES[int(np.argmin(errors))]
    np.testing.assert_allclose(coefficients, np.linalg.solve(kernel + ridge * np.eye(15), targets), atol=1e-9)


def test_genes_outside_the_graph_are_predicted_by_the_training_mean():
    graph = random_graph(2)
    genes = np.array([*graph.nodes[:20], "X1", "X2"])
    delta = np.random.default_rng(0).normal(size=(22, 4))
    rows = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20])
    model = graph_ridge.fit(delta[rows], rows, prepare(graph_ridge, genes, graph))
    np.testing.assert_allclose(graph_ridge.predict(model, np.array([21]))[0], delta[rows].mean(axis=0))


def test_training_on_genes_outside_the_graph_alone_gives_their_mean():
    graph = random_graph(2)
    genes = np.array([graph.nodes[0], "X1", "X2"])
    delta = np.arange(6.0).reshape(3, 2)
    rows = np.array([1, 2])
    model = graph_ridge.fit(delta[rows], rows, prepare(graph_ridge, genes, graph))
    assert graph_ridge.predict(model, np.array([0])).tolist() == [[3, 4]]


def test_a_graph_without_any_perturbed_gene_is_refused():
    with pytest.raises(InputError, match="none of the perturbed genes"):
        prepare(graph_ridge, np.array(["a", "b"]), random_graph(3))


@pytest.fixture
def world():
    """30 perturbed genes, two of them outside the graph and the embedding, among 50 measured genes."""
    generator = np.random.default_rng(8)
    graph = random_graph(4)
    genes = np.array([*graph.nodes[:28], "X1", "X2"])
    columns = np.array([*genes[:25], *(f"C{column}" for column in range(25))])
    embedding = pd.DataFrame(generator.normal(size=(28, 4)), index=genes[:28])
    delta, elsewhere = generator.normal(size=(30, 50)), np.random.default_rng(9).normal(size=(30, 50))
    elsewhere[29], elsewhere[:, 49] = np.nan, np.nan
    return Prior(genes, columns, graph, embedding, (graph, embedding), contexts=elsewhere), delta


TRAINING, UNSEEN = np.array([*range(20), 28]), np.array([20, 26, 29])


# What is trained on cells has the same tests in test_perturbation_gears.py.
ON_PROFILES = [
    name
    for name in registry.names("perturbation.predictors")
    if "cells" not in registry.declared("perturbation.predictors", name, "NEEDS")
]


@pytest.mark.parametrize("name", ON_PROFILES)
def test_every_predictor_says_what_it_needs_and_gives_one_finite_profile_each(name, world):
    predictor = registry.load("perturbation.predictors", name)
    prior, delta = world
    assert set(predictor.NEEDS) <= {"graph", "embedding", "kernels", "contexts", "doubles"}
    assert set(predictor.KINDS) <= {"cells", "profiles", "coordinates"}
    needed = {name: getattr(prior, name) for name in predictor.NEEDS if name != "doubles"}  # these are in the screen
    given = Prior(prior.perturbations, prior.columns, **needed)
    model = predictor.fit(delta[TRAINING], TRAINING, predictor.prepare(given))
    prediction = predictor.predict(model, UNSEEN)
    assert prediction.shape == (3, 50)
    assert np.isfinite(prediction).all()


@pytest.mark.parametrize(
    "name", sorted({*ON_PROFILES} - {"control", "mean_kernel", "mean_kernel_tuned", "other_contexts_kernel"})
)
def test_a_gene_of_which_nothing_is_known_is_predicted_by_the_training_mean(name, world):
    predictor = registry.load("perturbation.predictors", name)
    prior, delta = world
    model = predictor.fit(delta[TRAINING], TRAINING, predictor.prepare(prior))
    np.testing.assert_allclose(predictor.predict(model, np.array([29]))[0], delta[TRAINING].mean(axis=0), atol=1e-12)


def test_graph_components_are_those_of_the_neighbourhoods(world):
    """Oracle: scikit-learn's PCA of the dense normalised rows."""
    prior, _ = world
    scores, known = graph_components(prior)
    rows = prior.graph.incoming.toarray()
    rows = np.maximum(rows, rows.T) + np.eye(len(rows))
    rows /= np.sqrt(rows.sum(axis=1)[:, None] * rows.sum(axis=1)[None])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = PCA(scores.shape[1]).fit_transform(rows[prior.graph.positions(prior.perturbations[:28])])
    assert known.sum() == 28
    np.testing.assert_allclose(np.abs(scores[:28]), np.abs(expected), atol=1e-8)
    assert not scores[28:].any()


@pytest.mark.parametrize("name", ["graph_pca_ridge", "embedding_ridge"])
def test_ridge_on_features_is_that_of_scikit_learn(name, world):
    predictor = registry.load("perturbation.predictors", name)
    prior, delta = world
    if name == "graph_pca_ridge":
        features = graph_components(prior)[0]
        features /= np.sqrt((features[:28] ** 2).sum() / 28)
    else:
        features = np.zeros((30, 4))
        features[:28] = StandardScaler().fit_transform(prior.embedding)
        features[:28] /= np.linalg.norm(features[:28], axis=1, keepdims=True)
    signal = features @ np.random.default_rng(0).normal(size=(features.shape[1], 50)) + 0.1 * delta
    model = predictor.fit(signal[:20], np.arange(20), predictor.prepare(prior))
    assert model.ridge < RIDGES[-1]
    mean = signal[:20].mean(axis=0)
    peer = Ridge(alpha=model.ridge, fit_intercept=False).fit(features[:20], signal[:20] - mean)
    np.testing.assert_allclose(predictor.predict(model, UNSEEN), mean + peer.predict(features[UNSEEN]), atol=1e-8)


def test_the_forest_is_the_one_that_grows_on_all_columns(world):
    """Oracle: scikit-learn's forest of the same seed on the profiles themselves.

    One feature only: of two features that divide the training genes alike, rounding picks one.
    """
    prior, delta = world
    scores, known = graph_pca_forest.prepare(prior)
    features = scores[:, :1], known
    model = graph_pca_forest.fit(delta[:20], np.arange(20), features)
    peer = RandomForestRegressor(100, max_features=1 / 3, min_samples_leaf=3, random_state=0)
    peer.fit(features[0][:20], delta[:20])
    rows = np.array([20, 23, 26])
    np.testing.assert_allclose(graph_pca_forest.predict(model, rows), peer.predict(features[0][rows]), atol=1e-10)


def test_neighbours_are_weighted_by_their_similarity():
    similarity = np.array([[0.5, 0.0, 0.3, 0.2], [0.0, 0.0, 0.0, 0.0]])
    found = graph_neighbours.weights(similarity, 2, 0.2)
    np.testing.assert_allclose(found, [[0.5, 0, 0.3, 0], [0, 0, 0, 0]])
    assert graph_neighbours.weights(similarity, 3, 0.0)[0].sum() == pytest.approx(1)


def test_the_constants_of_neighbours_have_the_least_leave_one_out_error(world):
    """Oracle: leaving out each training perturbation in turn, neighbour by neighbour."""
    prior, delta = world
    kernel = graph_neighbours.prepare(prior)
    rows = np.arange(20)
    signal = kernel.values[:, :28] @ delta[:28] + 0.1 * delta
    model = graph_neighbours.fit(signal[rows], rows, kernel)
    residual = signal[rows] - signal[rows].mean(axis=0)

    def error(neighbours, pull):
        total = 0.0
        for row in rows:
            others = np.delete(rows, row)
            others = others[np.argsort(-kernel.values[row, others], kind="stable")][:neighbours]
            weight = kernel.values[row, others]
            sum_of_weights = weight.sum() + pull
            guess = weight @ residual[others] / sum_of_weights if sum_of_weights else 0
            total += ((residual[row] - guess) ** 2).sum()
        return total

    choices = {(n, p): error(n, p) for n in graph_neighbours.NEIGHBOURS for p in graph_neighbours.PULLS}
    assert choices[model.neighbours, model.pull] == pytest.approx(min(choices.values()))
    assert model.pull < graph_neighbours.PULLS[-1]


def test_bilinear_weights_solve_the_normal_equations():
    """Oracle: (G'G + cI) W (P'P + cI) = G'YP as one linear system in the entries of W."""
    generator = np.random.default_rng(3)
    genes, perturbed, targets = (generator.normal(size=shape) for shape in ((40, 4), (12, 4), (40, 12)))
    identity = bilinear.RIDGE * np.eye(4)
    system = np.kron(genes.T @ genes + identity, perturbed.T @ perturbed + identity)
    expected = np.linalg.solve(system, (genes.T @ targets @ perturbed).ravel()).reshape(4, 4)
    np.testing.assert_allclose(bilinear.bilinear_weights(targets, genes, perturbed), expected, atol=1e-10)


def test_the_bilinear_model_finds_a_bilinear_world():
    """Profiles G W P' of two components, targets among the measured genes: unseen profiles are predicted exactly."""
    generator = np.random.default_rng(1)
    genes = generator.normal(size=(60, 2))
    effects = genes[:30] @ generator.normal(size=(2, 2)) @ genes.T
    names = np.array([f"G{gene}" for gene in range(60)])
    place = bilinear.prepare(Prior(names[:30], names))
    train, test = np.arange(24), np.arange(24, 30)
    model = bilinear.fit(effects[train], train, place)
    error = ((bilinear.predict(model, test) - effects[test]) ** 2).sum()
    assert error < 0.01 * ((effects[train].mean(axis=0) - effects[test]) ** 2).sum()
