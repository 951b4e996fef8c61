"""TypiClust: one gene per cluster, the most typical one (Hacohen, Dekel & Weinshall 2022)."""

from scarceseq.selection.clusters import most_typical, rank_on_graph
from scarceseq.selection.evidence import Evidence, Genes, Ranking

NEEDS = ("graph",)


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Largest clusters without a chosen gene first; there is no gain."""
    return rank_on_graph(pool, evidence, budget, labelled, seed, most_typical)
