"""TypiClust in rounds: one perturbation per cluster of predicted profiles that has none (Hacohen et al. 2022)."""

import numpy as np

from scarceseq.selection.batches import profiles
from scarceseq.selection.clusters import most_typical, rank_by_clusters
from scarceseq.selection.evidence import Evidence, Genes, Ranking

NEEDS = ("graph",)
START = "random"


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """As many clusters as are measured and wanted, largest first, of each the most typical; there is no gain."""
    state = profiles(pool, evidence, budget, labelled)
    order = rank_by_clusters(state.kernel, state.candidates, state.measured, most_typical, budget, seed, at_once=True)
    return state.genes[order], np.full(len(order), np.nan)
