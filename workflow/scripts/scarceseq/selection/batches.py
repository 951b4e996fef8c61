"""What selectors in rounds share: the model's view of candidates and measured genes, and choices by distance."""

from dataclasses import dataclass, replace

import numpy as np

from scarceseq.errors import InputError
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.learned import posterior
from scarceseq.selection.pool import QUANTUM, arrange, check_pool, quantise


@dataclass(frozen=True)
class State:
    """Candidates, then measured genes, and how alike they are.

    - `genes`: candidates in the order in which ties are broken, then what was measured
    - `candidates`, `measured`: positions in `genes`
    - `kernel` (genes, genes)
    - `noise`, `predicted`: as of `scarceseq.selection.learned.Learned`
    """

    genes: np.ndarray
    candidates: np.ndarray
    measured: np.ndarray
    kernel: np.ndarray
    noise: float
    predicted: np.ndarray


def features(pool: Genes, evidence: Evidence, budget: int | None, labelled: Genes) -> State:
    """State with the kernel of the model's features."""
    if evidence.learned is None:
        raise InputError(
            "selection in rounds: there is no model yet; a selector in rounds follows a first round (its START)"
        )
    # what is left of the pool may lie outside the graph: the model knows what to think of it
    arranged = arrange(check_pool(pool, budget=budget, labelled=labelled), labelled, evidence.graph)
    learned = evidence.learned.ordered(arranged[0])
    return State(*arranged, learned.kernel, learned.noise, learned.predicted)


def uncertainty(pool: Genes, evidence: Evidence, budget: int | None, labelled: Genes) -> State:
    """State with the covariance that is left after what was measured."""
    state = features(pool, evidence, budget, labelled)
    return replace(state, kernel=posterior(state.kernel, state.measured, state.noise))


def profiles(pool: Genes, evidence: Evidence, budget: int | None, labelled: Genes) -> State:
    """State with inner products of the predicted profiles, divided by the largest."""
    state = features(pool, evidence, budget, labelled)
    kernel = state.predicted @ state.predicted.T
    return replace(state, kernel=kernel / max(float(np.diag(kernel).max()), 1e-300))


def squared_distances(kernel: np.ndarray, point: int) -> np.ndarray:
    """Squared distance of all points to one, K_ii + K_jj - 2 K_ij."""
    return np.diag(kernel) + kernel[point, point] - 2 * kernel[point]


def largest_cluster_first(
    kernel: np.ndarray, candidates: np.ndarray, measured: np.ndarray, budget: int | None = None
) -> Ranking:
    """Farthest candidate of the largest cluster, again and again.

    Each candidate belongs to the nearest centre, measured or chosen, the first of equals; a cluster is as large as the
    sum of its squared distances. Without any centre the first is the candidate with the largest mean similarity.

    - `candidates`, `measured`: positions in `kernel` (genes, genes), the former in the order in which ties are broken

    Returns positions among `candidates` in order, and the distance of each to its centre (NaN if there was none).
    """
    nearest, centre = np.full(len(candidates), np.iinfo(np.int64).max), np.zeros(len(candidates), dtype=int)
    order, gains, free = [], [], np.ones(len(candidates), dtype=bool)

    def add_centre(gene: int, cluster: int) -> None:
        distance = quantise(np.maximum(squared_distances(kernel, gene)[candidates], 0))
        centre[distance < nearest] = cluster
        np.minimum(nearest, distance, out=nearest)

    for cluster, gene in enumerate(measured):
        add_centre(gene, cluster)
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
