"""Spectral (experimental): genes that span the graph's diffusion kernel, greedy for log det(I + K / s^2).

The published method of that kind gave no formula; this is the usual determinantal choice, monotone and submodular.
"""

import numpy as np

from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import diffusion_kernel, greedy_variance
from scarceseq.selection.pool import arrange, check_pool

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False
STEPS, RIDGE = 2, 0.1


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Greedy for the determinant; the gain is what a gene adds to its logarithm."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    everyone, candidates, measured = arrange(genes, labelled, evidence.graph)
    kernel = diffusion_kernel(evidence.graph, everyone, STEPS)

    def score(covariance: np.ndarray, places: np.ndarray) -> np.ndarray:
        return np.log1p(np.maximum(np.diag(covariance)[places], 0) / RIDGE)

    order, gains = greedy_variance(kernel, candidates, measured, RIDGE, score, budget)
    return everyone[candidates[order]], gains
