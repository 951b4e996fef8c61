"""Gaussian process on the graph neighbourhoods of genes: the predictor `graph_ridge`, with its uncertainty."""

import numpy as np

from scarceseq.selection.kernels import gene_kernel
from scarceseq.selection.learned import learned_by_ridge

NEEDS = ("graph",)


def prepare(prior):
    """Cosine of the graph neighbourhoods of all perturbed genes."""
    return gene_kernel(prior.graph, prior.perturbations)


def learn(features, genes, pool, measured, delta, seed):
    """Ridge regression of the profiles on the kernel; nothing is random."""
    return learned_by_ridge(np.asarray(genes)[pool], features[np.ix_(pool, pool)], measured, delta)
