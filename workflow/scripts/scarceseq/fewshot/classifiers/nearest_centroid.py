"""Nearest class mean, the means shrunk towards each other (after Tibshirani et al. 2002, shrunken centroids)."""

import numpy as np

from scarceseq.fewshot.numerics import class_means, softmax, squared_distances

CANDIDATES = "centroid_threshold"


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: float, seed: int
) -> np.ndarray:
    """Each class mean's difference to the mean of class means is soft-thresholded feature by feature.

    The candidate is the threshold, in standard deviations of the corpus: those of the support, which the source takes,
    do not exist with one sample per class. Probabilities are softmax(-mean squared distance / 2), a convention.
    """
    means = class_means(support, support_classes)
    centre = means.mean(axis=0)
    offsets = means - centre
    centroids = centre + np.sign(offsets) * np.maximum(np.abs(offsets) - candidate, 0.0)
    return softmax(-squared_distances(query, centroids) / (2 * support.shape[1]))
