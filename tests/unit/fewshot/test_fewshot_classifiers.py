"""Classifiers that are not trained by gradient, against scikit-learn and hand-computed values."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scarceseq.errors import InputError
from scarceseq.fewshot.classifiers import (
    average,
    diagonal_discriminant,
    elastic_net,
    knn,
    linear_svm,
    logistic,
    nearest_centroid,
    random_forest,
    ridge,
    simpleshot,
    top_genes,
)
from scarceseq.fewshot.features import (
    floored_genes,
    log_ranks,
    logs,
    pca,
    ranks,
    roots,
    scaled_genes,
    study_components,
    whitened,
)
from scarceseq.fewshot.method import Source
from scarceseq.fewshot.numerics import within_sample_ranks
from scipy.linalg import fractional_matrix_power
from scipy.optimize import minimize
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

ALL = [
    (nearest_centroid.probabilities, 0.0),
    (simpleshot.probabilities, "centred_unit_length"),
    (knn.probabilities, 3),
    (logistic.probabilities, 1.0),
    (elastic_net.probabilities, 1.0),
    (linear_svm.probabilities, 1.0),
    (diagonal_discriminant.probabilities, 0.5),
    (random_forest.probabilities, 0.3),
    (ridge.probabilities, 1.0),
    (top_genes.probabilities, 5),
    (average.probabilities, 0.5),
]


@pytest.fixture
def data():
    """Support, classes and query of three separate clouds."""
    generator = np.random.default_rng(3)
    classes, asked = np.arange(12) % 3, np.arange(30) % 3
    centres = 2 * np.eye(3, 8)
    draw = lambda labels: centres[labels] + generator.normal(0, 0.6, (len(labels), 8))  # noqa: E731
    return draw(classes), classes, draw(asked), asked


@pytest.mark.parametrize(("classifier", "candidate"), ALL)
@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_add_up_and_learn(data, classifier, candidate, classes):
    support, labels, query, asked = data
    kept, wanted = labels < classes, asked < classes
    found = classifier(support[kept], labels[kept], query[wanted], candidate, 5)
    assert found.shape == (wanted.sum(), classes)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == asked[wanted]).mean() > 0.8
    np.testing.assert_array_equal(found, classifier(support[kept], labels[kept], query[wanted], candidate, 5))


@pytest.mark.parametrize(("classifier", "candidate"), ALL)
def test_one_sample_per_class_is_enough(data, classifier, candidate):
    support, labels, query, asked = data
    candidate = 1 if classifier is knn.probabilities else candidate  # three neighbours are one of each
    found = classifier(support[:3], labels[:3], query, candidate, 5)
    assert np.isfinite(found).all()
    assert (found.argmax(axis=1) == asked).mean() > 0.5  # chance: 1 / 3


def test_unshrunken_centroids_predict_the_nearest_class_mean():
    support = np.array([[0.0, 0.0], [2.0, 0.0], [9.0, 9.0], [9.0, 7.0]])
    query = np.array([[1.5, 1.0], [8.0, 8.0], [5.5, 4.5]])
    found = nearest_centroid.probabilities(support, np.array([0, 0, 1, 1]), query, 0.0, 0)
    means = np.array([[1.0, 0.0], [9.0, 8.0]])
    expected = ((query[:, None] - means) ** 2).sum(2).argmin(1)
    assert found.argmax(1).tolist() == expected.tolist()


def test_shrinkage_drops_genes_whose_class_means_differ_less_than_the_threshold():
    support = np.array([[0.0, 0.0], [0.4, 4.0]])
    one, two = (
        nearest_centroid.probabilities(support, np.array([0, 1]), np.array([[gene, 2.0]]), 1.0, 0)
        for gene in (-9.0, 9.0)
    )
    np.testing.assert_allclose(one, [[0.5, 0.5]])  # gene 0: offset 0.2 < 1, so it has no say; gene 1 is in the middle
    np.testing.assert_allclose(two, one)


def test_simpleshot_is_the_nearest_mean_of_centred_unit_vectors(data):
    support, labels, query, _ = data
    centre = support.mean(axis=0)
    one, two = (part - centre for part in (support, query))
    one, two = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (one, two))
    means = np.stack([one[labels == label].mean(axis=0) for label in range(3)])
    squared = (two**2).sum(1)[:, None] - 2 * two @ means.T + (means**2).sum(1)
    found = simpleshot.probabilities(support, labels, query, "centred_unit_length", 0)
    np.testing.assert_allclose(np.log(found[:, 0] / found[:, 1]), (squared[:, 1] - squared[:, 0]) / 2, atol=1e-9)


def test_ranks_are_what_any_monotone_change_of_a_sample_leaves(data):
    support, labels, query, _ = data
    expected = np.array([[2 * sum(other < value for other in row) / 7 - 1 for value in row] for row in support])
    np.testing.assert_allclose(within_sample_ranks(support), expected, atol=1e-12)
    np.testing.assert_array_equal(
        ranks.prepare(Source(None, None, None, 0))(np.array([[3.0, 3.0, 9.0]])), [[-0.5, -0.5, 1.0]]
    )
    stretched, moved = np.exp(3 * support), 7 * query - 2
    for transform in ("unchanged", "unit_length", "centred_unit_length"):
        candidate = f"ranks_{transform}"
        found = simpleshot.probabilities(support, labels, query, candidate, 0)
        np.testing.assert_array_equal(simpleshot.probabilities(stretched, labels, moved, candidate, 0), found)
        of_ranks = [within_sample_ranks(part) for part in (support, query)]
        np.testing.assert_array_equal(simpleshot.probabilities(of_ranks[0], labels, of_ranks[1], transform, 0), found)


@pytest.mark.parametrize("neighbours", [1, 3, 5, 50])
def test_nearest_neighbours_equal_scikit_learns(data, neighbours):
    support, labels, query, _ = data
    count = min(neighbours, len(support))
    peer = KNeighborsClassifier(count, metric="cosine", algorithm="brute").fit(support, labels).predict_proba(query)
    found = knn.probabilities(support, labels, query, neighbours, 0)
    np.testing.assert_allclose(found, (peer * count + 1 / 3) / (count + 1))
    assert cosine_similarity(query, support).shape == (30, 12)


@pytest.mark.parametrize("shrinkage", [0.0, 0.4, 1.0])
def test_diagonal_discriminant_equals_scikit_learns_with_that_covariance(data, shrinkage):
    support, labels, query, _ = data

    class Diagonal:
        def fit(self, values):
            own = support - np.stack([support[labels == label].mean(axis=0) for label in range(3)])[labels]
            variance = (own**2).sum(axis=0) / 9
            self.covariance_ = np.diag((1 - shrinkage) * variance + shrinkage * variance.mean())
            return self

    model = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=Diagonal(), priors=[1 / 3] * 3)
    found = diagonal_discriminant.probabilities(support, labels, query, shrinkage, 0)
    np.testing.assert_allclose(found, model.fit(support, labels).predict_proba(query), atol=1e-9)


def test_diagonal_discriminant_without_shrinkage_is_naive_bayes_with_a_pooled_variance(data):
    support, labels, query, _ = data
    bayes = GaussianNB().fit(support, labels)
    bayes.var_ = np.broadcast_to(bayes.var_.mean(axis=0) * 12 / 9, bayes.var_.shape)
    found = diagonal_discriminant.probabilities(support, labels, query, 0.0, 0)
    np.testing.assert_allclose(found, bayes.predict_proba(query), atol=1e-6)


def test_regularised_linear_models_are_scikit_learns(data):
    support, labels, query, _ = data
    ridge = LogisticRegression(C=0.3, max_iter=2000).fit(support, labels).predict_proba(query)
    np.testing.assert_array_equal(logistic.probabilities(support, labels, query, 0.3, 0), ridge)
    margins = LinearSVC(C=0.3, random_state=4, max_iter=2000).fit(support, labels).decision_function(query)
    assert (linear_svm.probabilities(support, labels, query, 0.3, 4).argmax(1) == margins.argmax(1)).all()


def test_a_prior_from_the_corpus_is_a_penalty_of_its_own_for_each_gene(data):
    # Oracle: minus log likelihood plus w^2 / (2 C variance of the gene), minimised as it is written.
    support, labels, query, asked = data
    support, labels, query = support[labels < 2], labels[labels < 2], query[asked < 2]
    scale = np.linspace(0.2, 3.0, 8)
    base = SimpleNamespace(scale=torch.from_numpy(scale))
    transform = scaled_genes.prepare(Source(base, None, None, 0))
    variance = scale**2 / (scale**2).mean()

    def penalised(parameters):
        logits = support @ parameters[:8] + parameters[8]
        return (
            0.3 * np.logaddexp(0, np.where(labels == 1, -logits, logits)).sum()
            + (parameters[:8] ** 2 / variance).sum() / 2
        )

    best = minimize(penalised, np.zeros(9), method="BFGS", options={"gtol": 1e-8}).x
    found = logistic.probabilities(transform(support), labels, transform(query), 0.3, 0)
    np.testing.assert_allclose(found[:, 1], 1 / (1 + np.exp(-query @ best[:8] - best[8])), atol=1e-3)
    plain = logistic.probabilities(support, labels, query, 0.3, 0)
    assert np.abs(plain - found).max() > 0.02


def test_elastic_net_is_near_the_optimum(data):
    # Oracle: the same solver run to convergence. The strongest penalty leaves no feature: every class is as likely.
    support, labels, query, _ = data
    exact = LogisticRegression(C=1.0, l1_ratio=0.5, solver="saga", max_iter=50_000, tol=1e-10)
    expected = exact.fit(support, labels).predict_proba(query)
    assert (exact.coef_ == 0).any()
    np.testing.assert_allclose(elastic_net.probabilities(support, labels, query, 1.0, 0), expected, atol=0.05)
    np.testing.assert_allclose(elastic_net.probabilities(support, labels, query, 0.001, 0), 1 / 3, atol=0.02)


def test_principal_components_are_fitted_on_the_reference_alone(fitting):
    reference = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    transform = pca.prepare(Source(None, reference, fitting, 1))
    centred = reference - reference.mean(0)
    components = np.linalg.svd(centred.astype(float), full_matrices=False)
    expected = components.U[:, :5] * np.sqrt(29)
    np.testing.assert_allclose(np.abs(transform(reference)), np.abs(expected), atol=1e-4)


def test_ridge_is_scikit_learns(data):
    # Weights make the classes equal; the penalty is in units of the mean squared length around their mean.
    support, labels, query, _ = data
    support, labels = support[1:], labels[1:]  # three of class 0, four of the others
    weight = 1 / np.bincount(labels)[labels]
    weight *= len(labels) / weight.sum()
    centred = support - np.average(support, axis=0, weights=weight)
    model = Ridge(alpha=0.3 * (centred**2).sum(axis=1).mean(), solver="svd")
    fitted = model.fit(support, np.eye(3)[labels], sample_weight=weight).predict(query)
    expected = np.exp(fitted) / np.exp(fitted).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ridge.probabilities(support, labels, query, 0.3, 0), expected, rtol=1e-9)


def test_ridge_by_one_sample_of_each_of_two_classes_is_the_nearest_centroid(data):
    support, labels, query, _ = data
    found = ridge.probabilities(support[:2], labels[:2], query, 0.01, 0)
    nearest = ((query[:, None] - support[:2]) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(found.argmax(axis=1), nearest)


def test_top_genes_are_those_of_largest_moderated_difference(data):
    # Oracle: the score gene by gene, and scikit-learn's nearest centroid on the genes of the best.
    from sklearn.neighbors import NearestCentroid

    support, labels, query, _ = data
    support, labels = support[labels < 2], labels[labels < 2]
    groups = [support[labels == c] for c in (0, 1)]
    gap = np.abs(groups[0].mean(0) - groups[1].mean(0)) / 2
    spread = np.sqrt(sum(((g - g.mean(0)) ** 2).sum(0) for g in groups) / (len(support) - 2))
    kept = np.argsort(-gap / (spread + np.median(spread)))[:3]
    expected = NearestCentroid().fit(support[:, kept], labels).predict(query[:, kept])
    found = top_genes.probabilities(support, labels, query, 3, 0)
    np.testing.assert_array_equal(found.argmax(axis=1), expected)


def test_features_of_plain_logarithms_undo_the_bases_scaling():
    generator = np.random.default_rng(6)
    tpm = generator.gamma(1.0, 50.0, (4, 9))
    expression = np.log2(tpm + 1)
    mean, scale = generator.normal(5, 1, 9), np.linspace(0.2, 3.0, 9)
    base = SimpleNamespace(mean=torch.from_numpy(mean), scale=torch.from_numpy(scale))
    z, source = (expression - mean) / scale, Source(base, None, None, 0)
    np.testing.assert_allclose(logs.prepare(source)(z), expression)
    np.testing.assert_allclose(roots.prepare(source)(z), np.sqrt(tpm))
    order = log_ranks.prepare(source)(z).argsort(axis=1)
    np.testing.assert_array_equal(order, tpm.argsort(axis=1))
    median = np.median(scale)
    np.testing.assert_allclose(
        floored_genes.prepare(source)(z), (expression - mean) / np.where(scale < median, median, scale)
    )


def test_linear_models_lose_nothing_in_the_span_of_the_support():
    # Oracle: scikit-learn's solvers on all 300 features, run to convergence.
    generator = np.random.default_rng(7)
    support, query, labels = generator.normal(size=(6, 300)), generator.normal(size=(9, 300)), np.arange(6) % 2
    full = LogisticRegression(C=0.3, max_iter=20_000, tol=1e-10).fit(support, labels).predict_proba(query)
    np.testing.assert_allclose(logistic.probabilities(support, labels, query, 0.3, 0), full, atol=2e-3)  # stops at 1e-4
    margins = LinearSVC(C=0.3, max_iter=200_000, tol=1e-10).fit(support, labels).decision_function(query)
    expected = 1 / (1 + np.exp(-margins))
    np.testing.assert_allclose(linear_svm.probabilities(support, labels, query, 0.3, 0)[:, 1], expected, atol=1e-3)


def test_the_average_weighs_ridge_and_top_genes_as_its_candidate_says(data):
    # Oracle: scikit-learn's ridge, and the nearest mean; with 8 features all of them are kept.
    support, labels, query, _ = data
    support, labels = support[labels < 2], labels[labels < 2]
    alpha = (support - support.mean(0)) ** 2
    fitted = Ridge(alpha=alpha.sum(1).mean(), solver="svd").fit(support, np.eye(2)[labels]).predict(query)
    distance = -np.stack([((query - support[labels == c].mean(0)) ** 2).mean(1) / 2 for c in (0, 1)], axis=1)
    one, two = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True) for logits in (fitted, distance))
    for weight in (0.0, 0.25, 1.0):
        found = average.probabilities(support, labels, query, weight, 0)
        np.testing.assert_allclose(found, (1 - weight) * one + weight * two, rtol=1e-9)


@pytest.fixture
def reference():
    """Source with 40 samples of 5 studies and 2 classes in 12 genes, and the logarithms that its z-scores stand for."""
    generator = np.random.default_rng(9)
    studies, labels = np.arange(40) % 5, (np.arange(40) // 5) % 2
    mean, scale = generator.normal(5, 1, 12), np.linspace(0.4, 2.0, 12)
    logarithms = generator.normal(0, 3, (5, 12))[studies] + generator.normal(0, 2, (2, 12))[labels]
    logarithms += generator.normal(size=(40, 12)) @ generator.normal(size=(12, 12))
    base = SimpleNamespace(mean=torch.from_numpy(mean), scale=torch.from_numpy(scale), information={"split": "fold1"})
    names = dict(studies=[f"S{study}" for study in studies], labels=[f"class {label}" for label in labels])
    return Source(base, (logarithms - mean) / scale, SimpleNamespace(pca_components=3), 0, **names), logarithms


def test_components_within_studies_are_scikit_learns_of_centred_studies(reference):
    source, logarithms = reference
    studies = np.array(source.studies)
    within = logarithms - np.stack([logarithms[studies == study].mean(0) for study in studies])
    exact = PCA(3, svd_solver="full").fit(within)
    scores = study_components.prepare(source)(source.reference)
    np.testing.assert_allclose(np.abs(scores), np.abs(exact.transform(logarithms)), rtol=1e-6)


def test_whitening_is_the_inverse_root_of_scikit_learns_shrunken_covariance(reference):
    source, logarithms = reference
    pairs = np.array([study + label for study, label in zip(source.studies, source.labels, strict=True)])
    residuals = logarithms - np.stack([logarithms[pairs == pair].mean(0) for pair in pairs])
    peer = LedoitWolf(assume_centered=True).fit(residuals)
    assert whitened.ledoit_wolf(residuals) == pytest.approx(peer.shrinkage_)
    root = fractional_matrix_power(peer.covariance_, -0.5)
    factor = np.sqrt(peer.shrinkage_ * np.square(residuals).mean())
    np.testing.assert_allclose(whitened.prepare(source)(source.reference), factor * logarithms @ root, rtol=1e-6)


def test_whitening_leaves_out_what_has_no_class_and_says_when_nothing_is_left(reference):
    source, _ = reference
    labels = [label if number < 30 else "" for number, label in enumerate(source.labels)]
    fewer = dataclasses.replace(
        source, reference=source.reference[:30], studies=source.studies[:30], labels=labels[:30]
    )
    np.testing.assert_allclose(
        whitened.prepare(dataclasses.replace(source, labels=labels))(source.reference),
        whitened.prepare(fewer)(source.reference),
    )
    with pytest.raises(
        InputError, match="no pretrain or scout study of the split 'fold1' has two samples of one class"
    ):
        whitened.prepare(dataclasses.replace(source, labels=[""] * 40))
