"""Classifiers among which the best is chosen: each gives scores of the classes, for each of its settings."""

from collections.abc import Callable

import numpy as np

from scarceseq.own_study.logistic import logistic_scores, sample_coordinates
from scarceseq.own_study.names import FEATURES_OF_GENE_SETS, FEATURES_OF_MODEL
from scarceseq.own_study.training_set import TrainingSet

TOP_GENES = (10, 50, 250)
SHRUNKEN_GENES = (20, 200, 2000)
SCREENED_GENES = 500
STRENGTHS = (1.0, 30.0)
MARGINS = (0.1, 10.0)
MIXTURES = (0.1, 1.0)
TREES = 200


def logistic_of_top_genes(training: TrainingSet) -> np.ndarray:
    """Ridge logistic regression on the most differential genes, in moderated standard deviations."""
    problems = []
    train, test = training.scaled_top(max(TOP_GENES))
    for count in TOP_GENES:
        size = np.sqrt(min(count, train.shape[1]))
        problems.append(sample_coordinates(train[:, :count] / size, test[:, :count] / size))
    return logistic_scores(problems, training.labels, STRENGTHS)


def centroid_of_top_genes(training: TrainingSet) -> np.ndarray:
    """Nearest centroid on the most differential genes, in moderated standard deviations (diagonal discriminant)."""
    train, test = training.scaled_top(max(TOP_GENES))
    centroids = _class_means(train, training)
    return np.stack([_nearness(test[:, :count], centroids[:, :count]) for count in TOP_GENES])


def shrunken_centroids(training: TrainingSet) -> np.ndarray:
    """Nearest shrunken centroids on all genes (Tibshirani et al. 2002), shrunken until so many genes are left."""
    deviation = np.sqrt(training.variance)
    scale = deviation + max(float(np.median(deviation)), 1e-9)
    error = np.sqrt(np.maximum(1 / training.sizes - 1 / len(training.labels), 1e-12))[:, None]
    distance = (training.means - training.grand) / (error * scale)
    largest = np.abs(distance).max(axis=0)
    count = min(max(SHRUNKEN_GENES) + 1, len(largest))
    first = np.argpartition(-largest, count - 1)[:count]
    first = first[np.lexsort((first, -largest[first]))]
    test = (training.values.logs[np.ix_(training.test, training.kept[first])] - training.grand[first]) / scale[first]
    scores = []
    for genes in SHRUNKEN_GENES:
        threshold = largest[first[genes]] if genes < count else 0.0
        left = distance[:, first[:genes]]
        shrunken = np.sign(left) * np.maximum(np.abs(left) - threshold, 0) * error
        scores.append(_nearness(test[:, :genes], shrunken))
    return np.stack(scores)


def linear_svm(training: TrainingSet) -> np.ndarray:
    """Linear support vector machine on all genes."""
    from sklearn.svm import SVC

    train, test = training.kernels
    scores = []
    for margin in MARGINS:
        machine = SVC(kernel="precomputed", C=margin, class_weight="balanced", decision_function_shape="ovr")
        decision = machine.fit(train, training.labels).decision_function(test)
        scores.append(np.stack([-decision, decision], axis=1) if decision.ndim == 1 else decision)
    return np.stack(scores)


def elastic_net(training: TrainingSet) -> np.ndarray:
    """Logistic regression with the elastic net, on the 500 most differential genes."""
    from sklearn.linear_model import LogisticRegression

    train, test = training.scaled_top(SCREENED_GENES)
    options = {"solver": "saga", "l1_ratio": 0.5, "class_weight": "balanced", "max_iter": 300, "tol": 1e-3}
    scores = []
    for strength in MIXTURES:
        decision = LogisticRegression(C=strength, random_state=0, **options)
        odds = decision.fit(train, training.labels).decision_function(test)
        scores.append(np.stack([-odds / 2, odds / 2], axis=1) if odds.ndim == 1 else odds)
    return np.stack(scores)


def random_forest(training: TrainingSet) -> np.ndarray:
    """Random forest on all genes."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(TREES, class_weight="balanced", random_state=0)
    logs = training.values.logs[:, training.kept]
    share = forest.fit(logs[training.train], training.labels).predict_proba(logs[training.test])
    return np.log(np.clip(share, 1 / TREES, 1))[None]


def logistic_of(name: str) -> Callable[[TrainingSet], np.ndarray]:
    """Ridge logistic regression on further features, in standard deviations."""

    def scores(training: TrainingSet) -> np.ndarray:
        train, test = training.scaled(name)
        size = np.sqrt(train.shape[1])
        return logistic_scores([sample_coordinates(train / size, test / size)], training.labels, STRENGTHS)

    return scores


def _class_means(rows: np.ndarray, training: TrainingSet) -> np.ndarray:
    """Mean of the training samples of each class, (classes, features)."""
    return training.weights[:, training.train] @ rows / training.sizes[:, None]


def _nearness(rows: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Half the squared distance to each centroid, negative, over the root of the number of features."""
    cross = rows @ centroids.T - (centroids**2).sum(axis=1) / 2
    return cross / np.sqrt(max(rows.shape[1], 1))


CANDIDATES: dict[str, Callable[[TrainingSet], np.ndarray]] = {
    "logistic@top_genes": logistic_of_top_genes,
    "nearest_centroid@top_genes": centroid_of_top_genes,
    "linear_svm@all_genes": linear_svm,
    "shrunken_centroids@all_genes": shrunken_centroids,
    "elastic_net@all_genes": elastic_net,
    "random_forest@all_genes": random_forest,
    **{f"logistic@{name}": logistic_of(name) for name in (*FEATURES_OF_MODEL, *FEATURES_OF_GENE_SETS)},
}
"""By the name of the config. Each takes a `TrainingSet` and gives scores, (settings, test samples, classes)."""
