"""Degree: genes with the most neighbours in the graph, in either direction."""

import numpy as np

from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.pool import check_pool, rank_by_score

NEEDS = ("graph",)


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Genes by falling number of distinct neighbours; the gain is that number, 0 outside the graph."""
    graph = evidence.graph
    genes = check_pool(pool, graph, budget, labelled)
    linked = (graph.incoming != 0).astype(np.int8)
    return rank_by_score(genes, graph, np.diff(linked.maximum(linked.T).tocsr().indptr), budget)
