"""k-means in rounds: one perturbation per cluster of predicted profiles, the one nearest to the cluster's centre."""

import numpy as np

from scarceseq.selection.batches import profiles
from scarceseq.selection.clusters import nearest_to_centre, rank_by_clusters
from scarceseq.selection.evidence import Evidence, Genes, Ranking

NEEDS = ("graph",)
START = "random"


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """As many clusters of the candidates as are wanted, largest first; there is no gain."""
    state = profiles(pool, evidence, budget, labelled)
    none = np.array([], dtype=int)
    order = rank_by_clusters(state.kernel, state.candidates, none, nearest_to_centre, budget, seed, at_once=True)
    return state.genes[order], np.full(len(order), np.nan)
