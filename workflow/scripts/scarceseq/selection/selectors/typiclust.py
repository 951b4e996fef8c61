"""TypiClust: one gene per cluster, the most typical one (Hacohen, Dekel & Weinshall 2022)."""

import numpy as np

from scarceseq.selection.clusters import most_typical, rank_by_clusters
from scarceseq.selection.kernels import gene_kernel
from scarceseq.selection.pool import arrange, check_pool

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Largest clusters without a chosen gene first; there is no gain."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    everyone, candidates, measured = arrange(genes, labelled, evidence.graph)
    kernel = gene_kernel(evidence.graph, everyone)
    order = rank_by_clusters(kernel, candidates, measured, most_typical, budget, seed)
    return everyone[candidates[order]], np.full(len(order), np.nan)
