"""ACS-FW: the batch whose update of the model comes nearest to that of the whole pool (Pinsler et al. 2019).

A Frank-Wolfe walk towards the sum of all candidates in the space of the posterior covariance. Here each step takes a
new candidate, so that a batch has as many as were asked for.
"""

import numpy as np

from scarceseq.selection.batches import uncertainty
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.pool import quantise

NEEDS = ("graph",)
START = "random"


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Greedy by direction; there is no gain."""
    state = uncertainty(pool, evidence, budget, labelled)
    order = frank_wolfe(state.kernel[np.ix_(state.candidates, state.candidates)], budget)
    return state.genes[order], np.full(len(order), np.nan)


def frank_wolfe(kernel: np.ndarray, budget: int | None = None) -> np.ndarray:
    """Order of points that approximate the sum of all.

    With lengths s_n = sqrt(K_nn), s their sum, t the sum of all points and w the sum so far, the next point n maximises
    (t - w) . x_n / s_n; then w moves to (1 - g) w + g (s / s_n) x_n, g the best of [0, 1]. `kernel` holds the
    inner products of the points.
    """
    length = np.sqrt(np.maximum(np.diag(kernel), 0))
    safe, total = np.where(length > 1e-9, length, 1), length.sum()
    towards, weights = kernel.sum(axis=1), np.zeros(len(kernel))
    free, order = np.ones(len(kernel), dtype=bool), []
    for _ in range(len(kernel) if budget is None else budget):
        left = towards - kernel @ weights
        score = quantise(np.where(length > 1e-9, left / safe, 0))
        best = int(np.argmax(np.where(free, score, np.iinfo(np.int64).min)))
        order.append(best)
        free[best] = False
        step = -weights
        step[best] += total / safe[best]
        along, size = float(step @ left), float(step @ kernel @ step)
        weights = weights + (min(max(along / size, 0), 1) if size > 1e-12 else 0) * step
    return np.array(order, dtype=int)
