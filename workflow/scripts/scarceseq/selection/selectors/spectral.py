"""Spectral (experimental): genes that span the graph's diffusion kernel, greedy for log det(I + K / s^2).

The published method of that kind gave no formula; this is the usual determinantal choice, monotone and submodular.
"""

import numpy as np

from scarceseq.selection.kernels import diffusion_kernel, greedy_variance
from scarceseq.selection.pool import arrange, check_pool

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False
STEPS, RIDGE = 2, 0.1


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Greedy for the determinant; the gain is what a gene adds to its logarithm."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    everyone, candidates, measured = arrange(genes, labelled, evidence.graph)
    kernel = diffusion_kernel(evidence.graph, everyone, STEPS)

    def score(covariance, places):
        return np.log1p(np.maximum(np.diag(covariance)[places], 0) / RIDGE)

    order, gains = greedy_variance(kernel, candidates, measured, RIDGE, score, budget)
    return everyone[candidates[order]], gains
