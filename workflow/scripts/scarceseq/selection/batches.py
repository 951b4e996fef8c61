"""What selectors in rounds share: the model's view of candidates and measured genes, and choices by distance."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scarceseq.errors import InputError
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.learned import posterior
from scarceseq.selection.pool import QUANTUM, arrange, check_pool, quantise

if TYPE_CHECKING:
    from scarceseq.selection.learned import Learned


@dataclass(frozen=True)
class State:
    """Candidates, then measured genes, and how alike they are.

    Attributes
    ----------
    genes : numpy.ndarray of str
        Candidates in the order in which ties are broken, then what was measured.
    candidates, measured : numpy.ndarray of int
        Positions in `genes`.
    kernel : numpy.ndarray, shape (genes, genes)
    noise : float
    """

    genes: np.ndarray
    candidates: np.ndarray
    measured: np.ndarray
    kernel: np.ndarray
    noise: float


def features(pool: Genes, evidence: Evidence, budget: int | None, labelled: Genes) -> State:
    """State with the kernel of the model's features."""
    genes, candidates, measured, learned = _learned(pool, evidence, budget, labelled)
    return State(genes, candidates, measured, learned.kernel, learned.noise)


def uncertainty(pool: Genes, evidence: Evidence, budget: int | None, labelled: Genes) -> State:
    """State with the covariance that is left after what was measured."""
    genes, candidates, measured, learned = _learned(pool, evidence, budget, labelled)
    covariance = posterior(learned.kernel, measured, learned.noise)
    return State(genes, candidates, measured, covariance, learned.noise)


def profiles(pool: Genes, evidence: Evidence, budget: int | None, labelled: Genes) -> State:
    """State with inner products of the predicted profiles, divided by the largest."""
    genes, candidates, measured, learned = _learned(pool, evidence, budget, labelled)
    kernel = learned.predicted @ learned.predicted.T
    return State(genes, candidates, measured, kernel / max(float(np.diag(kernel).max()), 1e-300), learned.noise)


def _learned(
    pool: Genes, evidence: Evidence, budget: int | None, labelled: Genes
) -> "tuple[np.ndarray, np.ndarray, np.ndarray, Learned]":
    if evidence.learned is None:
        raise InputError(
            "selection in rounds: there is no model yet; a selector in rounds follows a first round (its START)"
        )
    # what is left of the pool may lie outside the graph: the model knows what to think of it
    genes = check_pool(pool, budget=budget, labelled=labelled)
    everyone, candidates, measured = arrange(genes, labelled, evidence.graph)
    return everyone, candidates, measured, evidence.learned.ordered(everyone)


def squared_distances(kernel: np.ndarray, point: int) -> np.ndarray:
    """Squared distance of all points to one, K_ii + K_jj - 2 K_ij."""
    return np.diag(kernel) + kernel[point, point] - 2 * kernel[point]


def largest_cluster_first(
    kernel: np.ndarray, candidates: np.ndarray, measured: np.ndarray, budget: int | None = None
) -> Ranking:
    """Farthest candidate of the largest cluster, again and again.

    Each candidate belongs to the nearest centre, measured or chosen, the first of equals; a cluster is as large as the
    sum of its squared distances. Without any centre the first is the candidate with the largest mean similarity.

    Parameters
    ----------
    kernel : numpy.ndarray, shape (genes, genes)
    candidates, measured : numpy.ndarray of int
        The former in the order in which ties are broken.
    budget : int, optional

    Returns
    -------
    (numpy.ndarray of int, numpy.ndarray of float)
        Positions among `candidates` in order, and the distance of each to its centre (NaN if there was none).
    """
    nearest, centre = np.full(len(candidates), np.iinfo(np.int64).max), np.zeros(len(candidates), dtype=int)
    order, gains, free = [], [], np.ones(len(candidates), dtype=bool)

    def add_centre(gene: int, index: int) -> None:
        distances = quantise(np.maximum(squared_distances(kernel, gene)[candidates], 0))
        centre[distances < nearest] = index
        np.minimum(nearest, distances, out=nearest)

    for index, gene in enumerate(measured):
        add_centre(gene, index)
    for step in range(len(candidates) if budget is None else budget):
        if not order and not len(measured):
            best = int(np.argmax(quantise(kernel[np.ix_(candidates, candidates)].mean(axis=1))))
            gains.append(np.nan)
        else:
            size = np.full(len(measured) + step, -1.0)
            np.maximum.at(size, centre[free], 0)
            np.add.at(size, centre[free], nearest[free])
            best = int(np.argmax(np.where(free & (centre == np.argmax(size)), nearest, -1)))
            gains.append(np.sqrt(nearest[best] * QUANTUM))
        order.append(best)
        free[best] = False
        add_centre(candidates[best], len(measured) + step)
    return np.array(order, dtype=int), np.array(gains)
