"""k-means: one gene per cluster of the graph's neighbourhoods, the one nearest to the cluster's centre."""

from scarceseq.selection.clusters import nearest_to_centre, rank_on_graph
from scarceseq.selection.evidence import Evidence, Genes, Ranking

NEEDS = ("graph",)


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Largest clusters without a chosen gene first; there is no gain."""
    return rank_on_graph(pool, evidence, budget, labelled, seed, nearest_to_centre)
