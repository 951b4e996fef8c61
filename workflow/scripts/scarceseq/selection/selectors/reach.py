"""GraphReach, plain: the greedy choice of genes that together reach the most nodes."""

from scarceseq.selection.pool import check_pool
from scarceseq.selection.reach import Reach, rank_by_reach

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Greedy cover, every node worth one; the gain is the number of nodes newly reached."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    reach = Reach(hops=evidence.settings.hops)
    return rank_by_reach(genes, evidence, reach, budget, labelled)
