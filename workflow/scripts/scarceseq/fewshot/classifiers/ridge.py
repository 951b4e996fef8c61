"""Ridge regression on the classes: the least-squares classifier with a squared penalty."""

import numpy as np

from scarceseq.fewshot.numerics import class_means, softmax

CANDIDATES = "ridge_penalty"


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: float, seed: int
) -> np.ndarray:
    """Each class's indicator is regressed on the features, around the mean of the class means, in the dual form.

    The candidate is the penalty in units of the mean squared length of the centred support, so that it does not depend
    on the number of features or their scale. Probabilities are softmax(fitted values), a convention.
    """
    centre = class_means(support, support_classes).mean(axis=0)
    centred, asked = support - centre, query - centre
    classes = support_classes.max() + 1
    weight = 1 / np.bincount(support_classes)[support_classes]  # all classes weigh alike
    targets = np.eye(classes)[support_classes] - 1 / classes
    gram = centred @ centred.T
    penalty = candidate * max(np.trace(gram) / len(support), 1e-12)
    inverse = np.diag(penalty / (weight * len(support) / classes))
    return softmax(asked @ centred.T @ np.linalg.solve(gram + inverse, targets))
