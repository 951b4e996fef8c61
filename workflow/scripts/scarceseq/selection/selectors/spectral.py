"""Spectral (experimental): genes that span the graph's diffusion kernel, greedy for log det(I + K / s^2).

The published method of that kind gave no formula; this is the usual determinantal choice, monotone and submodular.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scarceseq.selection.kernels import diffusion_kernel, greedy_variance
from scarceseq.selection.pool import arrange, check_pool

if TYPE_CHECKING:
    from scarceseq.selection.evidence import Evidence

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False
STEPS, RIDGE = 2, 0.1


def rank(
    pool: Sequence[str], evidence: "Evidence", budget: int | None = None, labelled: Sequence[str] = (), seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Greedy for the determinant; the gain is what a gene adds to its logarithm."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    everyone, candidates, measured = arrange(genes, labelled, evidence.graph)
    kernel = diffusion_kernel(evidence.graph, everyone, STEPS)

    def score(covariance: np.ndarray, places: np.ndarray) -> np.ndarray:
        return np.log1p(np.maximum(np.diag(covariance)[places], 0) / RIDGE)

    order, gains = greedy_variance(kernel, candidates, measured, RIDGE, score, budget)
    return everyone[candidates[order]], gains
