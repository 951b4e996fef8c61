"""GraphReach, usage-weighted: nodes count by how much the pool's own predictions lean on them."""

from scarceseq.selection.pool import check_pool, quantise
from scarceseq.selection.reach import rank_by_reach, usage

NEEDS_GRAPH = True
DRAWS = False


def rank(pool, graph, seed, settings):
    """Greedy cover with usage weights; the gain is the usage newly reached."""
    genes = check_pool(pool, graph)
    return rank_by_reach(genes, graph, settings.hops, quantise(usage(genes, graph)))
