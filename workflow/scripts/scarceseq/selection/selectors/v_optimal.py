"""V-optimal: the genes that leave the least variance in the predictions of the test genes (Yu, Bi & Tresp 2006).

The model is a Gaussian process with the kernel of the predictor `graph_ridge` on the selection graph. Of the test genes
the names alone are looked at; without any, the pool itself is what is predicted. Variants (`selection/targets`) know
less: the whole list, or nothing.
"""

import numpy as np

from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import greedy_variance
from scarceseq.selection.pool import arrange_pool
from scarceseq.selection.target_kernel import kernel_with_targets

NEEDS = ("graph",)
VARIANTS = "selection.targets"
NAMES_USED = "tests"
NOISE = 1.0


def rank(
    pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0, variant: str = ""
) -> Ranking:
    """Greedy for the sum of posterior variances of the targets; the gain is what a gene takes from it."""
    everyone, candidates, measured = arrange_pool(pool, evidence.graph, budget, labelled)
    kernel, targets = kernel_with_targets(pool, evidence, everyone, candidates, variant)

    def score(covariance: np.ndarray, places: np.ndarray) -> np.ndarray:
        return (covariance[np.ix_(targets, places)] ** 2).sum(axis=0) / (np.diag(covariance)[places] + NOISE)

    order, gains = greedy_variance(kernel, candidates, measured, NOISE, score, budget)
    return everyone[order], gains
