"""GraphReach, plain: the greedy choice of genes that together reach the most nodes."""

import numpy as np

from scarceseq.selection.pool import check_pool, quantise
from scarceseq.selection.reach import rank_by_reach

NEEDS_GRAPH = True
DRAWS = False


def rank(pool, graph, seed, settings):
    """Greedy cover, every node worth one; the gain is the number of nodes newly reached."""
    genes = check_pool(pool, graph)
    weights = quantise(np.ones(len(graph.nodes) + len(genes)))
    return rank_by_reach(genes, graph, settings.hops, weights)
