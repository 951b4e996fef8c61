"""PageRank: genes at which a walk along the edges is found most often (Brin & Page 1998)."""

import numpy as np
from scipy import sparse

from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.pool import QUANTUM, check_pool, quantise, rank_by_score

NEEDS = ("graph",)
DAMPING, STEPS, TOLERANCE = 0.85, 200, 1e-12


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Genes by falling PageRank; the gain is that rank times the number of nodes, 0 outside the graph."""
    graph = evidence.graph
    genes = check_pool(pool, graph, budget, labelled)
    scores = pagerank(graph.incoming) * len(graph.nodes)
    return rank_by_score(genes, graph, quantise(scores) * QUANTUM, budget)


def pagerank(incoming: sparse.csr_array) -> np.ndarray:
    """Stationary shares of a walk that follows edges by weight, and jumps anywhere now and then or at a dead end.

    `incoming` (nodes, nodes) has the weight of source -> target in row target, column source.
    """
    size = incoming.shape[0]
    leaving = incoming.sum(axis=0)
    step = incoming @ sparse.diags_array(1 / np.where(leaving > 0, leaving, 1))
    share = np.full(size, 1 / size)
    for _ in range(STEPS):
        stuck = share[leaving == 0].sum()
        new = DAMPING * (step @ share + stuck / size) + (1 - DAMPING) / size
        if np.abs(new - share).sum() < TOLERANCE:
            return new
        share = new
    return share
