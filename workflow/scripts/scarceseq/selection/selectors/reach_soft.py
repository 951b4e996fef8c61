"""GraphReach, soft: usage-weighted, one step further, and what is further away counts half."""

from scarceseq.selection.pool import check_pool
from scarceseq.selection.reach import Reach, rank_by_reach

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Greedy cover in which each node counts by the nearest of the chosen; the gain is the usage added."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    reach = Reach(hops=evidence.settings.hops + 1, ground="candidates", usage=True, decay=0.5)
    return rank_by_reach(genes, evidence, reach, budget, labelled)
