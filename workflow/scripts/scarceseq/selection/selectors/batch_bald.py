"""BatchBALD: the batch that tells most together (Kirsch, van Amersfoort & Gal 2019).

For a Gaussian process its information is half log det(I + K / noise), chosen greedily.
"""

import numpy as np

from scarceseq.selection.batches import uncertainty
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import greedy_variance

NEEDS = ("graph",)
START = "random"


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Greedy for the determinant; the gain is the information added, in nats."""
    state = uncertainty(pool, evidence, budget, labelled)

    def score(covariance: np.ndarray, places: np.ndarray) -> np.ndarray:
        return 0.5 * np.log1p(np.maximum(np.diag(covariance)[places], 0) / state.noise)

    candidates = state.candidates
    covariance = state.kernel[np.ix_(candidates, candidates)]
    order, gains = greedy_variance(covariance, candidates, np.array([], dtype=int), state.noise, score, budget)
    return state.genes[order], gains
