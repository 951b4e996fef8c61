"""Nearest neighbours: the share of each class among the most similar support samples by cosine."""

import numpy as np

from scarceseq.fewshot.numerics import unit_length

CANDIDATES = "neighbours"


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: float, seed: int
) -> np.ndarray:
    """As many neighbours vote as the candidate says; of those that are equally near, the first in the support.

    One sample of every class is added with the weight 1 / classes, so that no probability is 0 and ties stay ties.
    """
    classes = support_classes.max() + 1
    similarity = unit_length(query) @ unit_length(support).T
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, : int(candidate)]
    votes = np.eye(classes)[support_classes][nearest].sum(axis=1)
    return (votes + 1 / classes) / (nearest.shape[1] + 1)
