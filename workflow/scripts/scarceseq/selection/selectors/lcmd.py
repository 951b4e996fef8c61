"""LCMD: the farthest point of the largest cluster around what is measured (Holzmueller et al. 2023)."""

from scarceseq.selection.batches import features, largest_cluster_first
from scarceseq.selection.evidence import Evidence, Genes, Ranking

NEEDS = ("graph",)
START = "random"


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Largest cluster by its sum of squared distances; the gain is the distance to its centre."""
    state = features(pool, evidence, budget, labelled)
    order, gains = largest_cluster_first(state.kernel, state.candidates, state.measured, budget)
    return state.genes[order], gains
