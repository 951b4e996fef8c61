"""BAIT: the batch that leaves the least variance in the whole pool (Ash et al. 2021).

For a Gaussian process the Fisher trace is the sum of posterior variances. Twice the batch is chosen greedily, then half
of it is taken out again, what is missed least first.
"""

from collections.abc import Sequence

import numpy as np

from scarceseq.selection.batches import uncertainty
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import greedy_variance
from scarceseq.selection.pool import quantise

NEEDS = ("graph",)
START = "random"
EXCESS = 2


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Forward and backward greedy choice; the order is that of the forward choice, and there is no gain."""
    state = uncertainty(pool, evidence, budget, labelled)
    wanted = len(state.candidates) if budget is None else budget

    def score(covariance: np.ndarray, places: np.ndarray) -> np.ndarray:
        return (covariance[:, places] ** 2).sum(axis=0) / (np.diag(covariance)[places] + state.noise)

    none = np.array([], dtype=int)
    many = min(EXCESS * wanted, len(state.candidates))
    chosen, _ = greedy_variance(state.kernel, state.candidates, none, state.noise, score, many)
    order = take_out(state.kernel, state.candidates[chosen], state.noise, wanted)
    return state.genes[order], np.full(len(order), np.nan)


def take_out(covariance: np.ndarray, chosen: Sequence[int] | np.ndarray, noise: float, wanted: int) -> np.ndarray:
    """What is left of a choice after taking out, one by one, what the sum of variances misses least.

    Without point j the sum rises by (A^-1 B A^-1)_jj / (A^-1)_jj, A = K_cc + noise I and B = K_c. K_.c of the choice c.
    """
    chosen = list(chosen)
    inner = covariance[np.ix_(chosen, chosen)] + noise * np.eye(len(chosen))
    inverse, outer = np.linalg.inv(inner), covariance[chosen] @ covariance[:, chosen]
    while len(chosen) > wanted:
        missed = quantise(np.einsum("ij,jk,ki->i", inverse, outer, inverse, optimize=True) / np.diag(inverse))
        out = len(chosen) - 1 - int(np.argmin(missed[::-1]))  # of equals, the last one chosen
        kept = np.delete(np.arange(len(chosen)), out)
        # inverse of the matrix without a row and column, from that with it
        inverse = inverse[np.ix_(kept, kept)] - np.outer(inverse[kept, out], inverse[out, kept]) / inverse[out, out]
        outer = outer[np.ix_(kept, kept)]
        chosen.pop(out)
    return np.array(chosen, dtype=int)
