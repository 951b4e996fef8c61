"""Classifiers that are not trained by gradient; scikit-learn is imported by those that use it.

Each is a function (support, support_classes, query, candidate, seed) -> class probabilities, (queries, classes).
`support` and `query` are features, (samples, features), `support_classes` the numbers 0 to classes - 1, each present,
`candidate` is the value of the one hyper-parameter that is tuned, `seed` that of what is drawn.
"""

import contextlib
import warnings

import numpy as np

from scarceseq.fewshot.features import within_sample_ranks

FOREST_TREES = 50


def nearest_centroid(support, support_classes, query, candidate, seed):
    """Distances to class means that are shrunk towards each other by the candidate, in standard deviations.

    Each class mean's difference to the mean of class means is soft-thresholded feature by feature (after nearest
    shrunken centroids, Tibshirani et al. 2002, with the corpus' standard deviation in place of the pooled one, which
    one sample per class does not give). Probabilities are softmax(-mean squared distance / 2); their scale is a
    convention.
    """
    means = _class_means(support, support_classes)
    centre = means.mean(axis=0)
    offsets = means - centre
    centroids = centre + np.sign(offsets) * np.maximum(np.abs(offsets) - candidate, 0.0)
    return _softmax(-_squared_distances(query, centroids) / (2 * support.shape[1]))


def simpleshot(support, support_classes, query, candidate, seed):
    """Nearest class mean of features brought to length 1 (Wang et al. 2019, SimpleShot).

    The candidate says how far: 2 subtracts the support's mean first, 1 does not, 0 leaves the features as they are;
    5, 4 and 3 do so with the ranks of each sample's features. Probabilities are softmax(-squared distance / 2).
    """
    if candidate >= 3:
        support, query = within_sample_ranks(support), within_sample_ranks(query)
        candidate -= 3
    if candidate >= 2:
        centre = support.mean(axis=0)
        support, query = support - centre, query - centre
    if candidate >= 1:
        support, query = _unit_length(support), _unit_length(query)
    return _softmax(-_squared_distances(query, _class_means(support, support_classes)) / 2)


def nearest_neighbours(support, support_classes, query, candidate, seed):
    """Share of each class among the most similar support samples by cosine, as many as the candidate says.

    One sample of every class is added with the weight 1 / classes, so that no probability is 0 and ties stay ties.
    Of neighbours that are equally near, the first in the support count.
    """
    classes = support_classes.max() + 1
    similarity = _unit_length(query) @ _unit_length(support).T
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, : int(candidate)]
    votes = np.eye(classes)[support_classes][nearest].sum(axis=1)
    return (votes + 1 / classes) / (nearest.shape[1] + 1)


def logistic(support, support_classes, query, candidate, seed):
    """Multinomial logistic regression with a squared penalty; the candidate is the inverse of its strength."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=candidate, max_iter=2000).fit(support, support_classes).predict_proba(query)


def elastic_net(support, support_classes, query, candidate, seed):
    """The same with a penalty of which half is absolute, half squared (Zou and Hastie 2005)."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=candidate, l1_ratio=0.5, solver="saga", max_iter=200, tol=1e-3, random_state=seed % 2**32
    )
    with _no_convergence_warning():
        return model.fit(support, support_classes).predict_proba(query)


def linear_svm(support, support_classes, query, candidate, seed):
    """Linear support vector machine, one class against the rest; the candidate is the inverse of the penalty.

    Probabilities are softmax(margins): a convention, since calibrating on a dozen samples would be none.
    """
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=candidate, random_state=seed % 2**32, max_iter=2000)
    with _no_convergence_warning():
        margins = model.fit(support, support_classes).decision_function(query)
    return _softmax(np.stack([-margins / 2, margins / 2], axis=1) if margins.ndim == 1 else margins)


def diagonal_discriminant(support, support_classes, query, candidate, seed):
    """Linear discriminant analysis with a diagonal covariance, equal class weights (Dudoit et al. 2002).

    The pooled variance within classes of each feature is moved towards the mean over features by the candidate
    (1: all the way). With one sample per class there is none, and the variance is 1.
    """
    means = _class_means(support, support_classes)
    spare = len(support) - len(means)
    variance = ((support - means[support_classes]) ** 2).sum(axis=0) / spare if spare else np.ones(support.shape[1])
    variance = (1 - candidate) * variance + candidate * variance.mean()
    scale = np.sqrt(np.maximum(variance, 1e-12))
    return _softmax(-_squared_distances(query / scale, means / scale) / 2)


def random_forest(support, support_classes, query, candidate, seed):
    """Random forest of 50 trees; the candidate is the share of the features that each division may choose from."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(FOREST_TREES, max_features=candidate, random_state=seed % 2**32)
    return model.fit(support, support_classes).predict_proba(query)


def _class_means(support, support_classes):
    return np.stack([support[support_classes == c].mean(axis=0) for c in range(support_classes.max() + 1)])


def _unit_length(values):
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)


def _squared_distances(one, two):
    return ((one[:, None, :] - two[None]) ** 2).sum(axis=2)


def _softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@contextlib.contextmanager
def _no_convergence_warning():
    """Fits of a few samples may stop before they are polished; that they did is no news."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
