"""Nearest class mean on the features that differ most between the classes of the support."""

import numpy as np

from scarceseq.fewshot.numerics import class_means, softmax, squared_distances

CANDIDATES = "top_genes"


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: float, seed: int
) -> np.ndarray:
    """Features are ranked by the spread of the class means over that within classes, to which its median is added.

    The addition keeps features of little spread from the top (Tusher et al. 2001); with one sample per class there is
    no spread within, and the class means alone decide. The candidate is how many are kept; of equals, the first.
    """
    means = class_means(support, support_classes)
    spare = len(support) - len(means)
    spread = np.sqrt(((support - means[support_classes]) ** 2).sum(axis=0) / spare) if spare else np.zeros(1)
    score = means.std(axis=0) / np.maximum(spread + np.median(spread), 1e-12)
    kept = np.argsort(-score, kind="stable")[: int(candidate)]
    return softmax(-squared_distances(query[:, kept], means[:, kept]) / (2 * len(kept)))
