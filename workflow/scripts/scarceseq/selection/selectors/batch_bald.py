"""BatchBALD: the batch that tells most together (Kirsch, van Amersfoort & Gal 2019).

For a Gaussian process its information is half log det(I + K / noise), chosen greedily.
"""

import numpy as np

from scarceseq.selection.batches import uncertainty
from scarceseq.selection.kernels import greedy_variance

NEEDS = ("graph",)
DRAWS = False
ROUNDS = True
START = "random"


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Greedy for the determinant; the gain is the information added, in nats."""
    state = uncertainty(pool, evidence, budget, labelled)

    def score(covariance, places):
        return 0.5 * np.log1p(np.maximum(np.diag(covariance)[places], 0) / state.noise)

    own = state.candidates
    covariance = state.kernel[np.ix_(own, own)]
    order, gains = greedy_variance(covariance, own, np.array([], dtype=int), state.noise, score, budget)
    return state.genes[order], gains
