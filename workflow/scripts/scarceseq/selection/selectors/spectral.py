"""Spectral (experimental): genes that span the graph's diffusion kernel, greedy for log det(I + K / s^2).

The published method of that kind gave no formula; this is the usual determinantal choice, monotone and submodular.
"""

import numpy as np

from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import diffusion_kernel, greedy_variance
from scarceseq.selection.pool import arrange_pool

NEEDS = ("graph",)
STEPS, RIDGE = 2, 0.1


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Greedy for the determinant; the gain is what a gene adds to its logarithm."""
    everyone, candidates, measured = arrange_pool(pool, evidence.graph, budget, labelled)
    kernel = diffusion_kernel(evidence.graph, everyone, STEPS)

    def score(covariance: np.ndarray, places: np.ndarray) -> np.ndarray:
        return np.log1p(np.maximum(np.diag(covariance)[places], 0) / RIDGE)

    order, gains = greedy_variance(kernel, candidates, measured, RIDGE, score, budget)
    return everyone[order], gains
