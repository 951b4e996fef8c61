"""Nearest neighbours on the graph: the weighted mean of the most similar training perturbations.

Similarity is the cosine of two genes' neighbourhoods. The number of neighbours, and how far their mean is drawn to that
of all training perturbations, are chosen by leave-one-out error among the training perturbations. Genes that the graph
does not have, or that resemble no training perturbation, get the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from scarceseq.perturbation.kernel import Kernel, graph_kernel

NEEDS = ("graph",)
KINDS = ("cells", "profiles", "coordinates")
NEIGHBOURS = (1, 3, 5, 10, 20)
PULLS = (0.0, 0.1, 0.3, 1.0, 3.0, 1e6)
"""Weight of the mean of all training perturbations beside the neighbours' similarities; the last one is the mean."""
prepare = graph_kernel


@dataclass(frozen=True)
class Model:
    """What is learned: a mean, the training profiles around it, and the two constants."""

    mean: np.ndarray  # (columns,)
    rows: np.ndarray  # training perturbations that the graph has
    residual: np.ndarray  # (training perturbations that the graph has, columns)
    neighbours: int
    pull: float
    kernel: Kernel


def fit(delta: np.ndarray, rows: Sequence[int], kernel: Kernel) -> Model:
    """Mean, residuals, and the constants with the least leave-one-out error."""
    mean = delta.mean(axis=0)
    inside = kernel.covered[rows]
    used, residual = rows[inside], delta[inside] - mean
    similarity = kernel.values[np.ix_(used, used)].copy()
    np.fill_diagonal(similarity, 0)
    least, best = np.inf, (NEIGHBOURS[0], PULLS[0])
    for neighbours, pull in product(NEIGHBOURS, PULLS):
        error = ((residual - weights(similarity, neighbours, pull) @ residual) ** 2).sum() if len(used) else 0.0
        if error < least:
            least, best = error, (neighbours, pull)
    return Model(mean, used, residual, best[0], best[1], kernel)


def weights(similarity: np.ndarray, neighbours: int, pull: float) -> np.ndarray:
    """Weight of each training perturbation (columns) in each prediction (rows).

    The `neighbours` largest similarities of a row, ties to the first, divided by their sum plus `pull`.
    """
    kept = np.zeros_like(similarity)
    order = np.argsort(-similarity, axis=1, kind="stable")[:, :neighbours]
    np.put_along_axis(kept, order, np.take_along_axis(similarity, order, axis=1), axis=1)
    total = kept.sum(axis=1, keepdims=True) + pull
    return np.divide(kept, total, out=np.zeros_like(kept), where=total > 0)


def predict(model: Model, rows: Sequence[int]) -> np.ndarray:
    """Mean plus the neighbours' weighted residuals."""
    similarity = model.kernel.values[np.ix_(np.asarray(rows), model.rows)]
    return model.mean + weights(similarity, model.neighbours, model.pull) @ model.residual
