"""Weighted mean of the probabilities of `ridge` and `top_genes`, each at its first default hyper-parameter."""

import numpy as np

from scarceseq.fewshot.classifiers import ridge, top_genes

CANDIDATES = "average_weight"
RIDGE_PENALTY, TOP_GENES = 1.0, 300


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: float, seed: int
) -> np.ndarray:
    """The candidate is the weight of `top_genes`."""
    one = ridge.probabilities(support, support_classes, query, RIDGE_PENALTY, seed)
    two = top_genes.probabilities(support, support_classes, query, TOP_GENES, seed)
    return (1 - candidate) * one + candidate * two
