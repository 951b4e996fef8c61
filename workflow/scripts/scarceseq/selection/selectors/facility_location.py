"""Facility location: the genes to which the whole pool is most similar (Cornuejols, Fisher & Nemhauser 1977)."""

import numpy as np

from scarceseq.selection.cover import Cover, Limits, greedy
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import gene_kernel
from scarceseq.selection.pool import QUANTUM, arrange_pool, quantise

NEEDS = ("graph",)


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Greedy for the sum over the pool of each gene's similarity to the nearest chosen; the gain is what that adds."""
    everyone, candidates, measured = arrange_pool(pool, evidence.graph, budget, labelled)
    values = quantise(np.maximum(gene_kernel(evidence.graph, everyone)[:, candidates], 0))
    rows, items = np.nonzero(values)
    starts = np.searchsorted(rows, np.arange(len(everyone) + 1)).astype(np.int64)
    cover = Cover(starts, items.astype(np.int32), np.zeros(len(candidates), np.int64), values[rows, items])
    order, gains = greedy(cover, Limits(budget=budget, measured=tuple(measured)))
    return everyone[order], gains * QUANTUM
