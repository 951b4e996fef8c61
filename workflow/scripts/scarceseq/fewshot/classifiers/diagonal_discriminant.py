"""Linear discriminant analysis with a diagonal covariance, equal class weights (Dudoit et al. 2002)."""

import numpy as np

from scarceseq.fewshot.numerics import class_means, softmax, squared_distances

CANDIDATES = "variance_shrinkage"


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: float, seed: int
) -> np.ndarray:
    """The pooled variance within classes of each feature is moved towards the mean over features by the candidate.

    1 is all the way. With one sample per class there is no such variance, and it is 1.
    """
    means = class_means(support, support_classes)
    spare = len(support) - len(means)
    variance = ((support - means[support_classes]) ** 2).sum(axis=0) / spare if spare else np.ones(support.shape[1])
    variance = (1 - candidate) * variance + candidate * variance.mean()
    scale = np.sqrt(np.maximum(variance, 1e-12))
    return softmax(-squared_distances(query / scale, means / scale) / 2)
