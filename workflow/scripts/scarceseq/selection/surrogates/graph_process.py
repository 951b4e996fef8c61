"""Gaussian process on the graph neighbourhoods of genes: the predictor `graph_ridge`, with its uncertainty."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scarceseq.selection.kernels import gene_kernel
from scarceseq.selection.learned import learned_by_ridge

if TYPE_CHECKING:
    from scarceseq.perturbation.prior import Prior
    from scarceseq.selection.learned import Learned

NEEDS = ("graph",)


def prepare(prior: "Prior") -> np.ndarray:
    """Cosine of the graph neighbourhoods of all perturbed genes."""
    return gene_kernel(prior.graph, prior.perturbations)


def learn(
    features: np.ndarray, genes: Sequence[str], pool: np.ndarray, measured: np.ndarray, delta: np.ndarray, seed: int
) -> "Learned":
    """Ridge regression of the profiles on the kernel; nothing is random."""
    return learned_by_ridge(np.asarray(genes)[pool], features[np.ix_(pool, pool)], measured, delta)
