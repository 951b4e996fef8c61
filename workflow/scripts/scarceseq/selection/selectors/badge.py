"""BADGE, as for regression: k-means++ seeding on the posterior covariance (Ash et al. 2020).

Without labels there are no gradients of a loss to embed, so that features given what was measured take their place.
"""

import numpy as np

from scarceseq.selection.batches import squared_distances, uncertainty
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.pool import QUANTUM, quantise

NEEDS = ("graph",)
START = "random"


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Candidates drawn with shares of their squared distance to the nearest chosen; the gain is that distance.

    What is measured lies at the origin: the first is drawn with shares of the posterior variance.
    """
    state = uncertainty(pool, evidence, budget, labelled)
    covariance = state.kernel[np.ix_(state.candidates, state.candidates)]
    generator = np.random.default_rng(seed)
    nearest, order, gains = np.diag(covariance).copy(), [], []
    free = np.ones(len(nearest), dtype=bool)
    for _ in range(len(nearest) if budget is None else budget):
        shares = np.where(free, np.maximum(quantise(nearest), 0), 0)
        shares = shares if shares.any() else free  # nothing is far from anything: any of those left
        best = int(generator.choice(len(nearest), p=shares / shares.sum()))
        order.append(best)
        gains.append(np.sqrt(max(nearest[best], 0)))
        free[best] = False
        nearest = np.minimum(nearest, squared_distances(covariance, best))
    return state.genes[order], quantise(gains) * QUANTUM
