"""GraphReach that never saturates: usage-weighted, each further time that a node is reached counts half."""

from scarceseq.selection.pool import check_pool
from scarceseq.selection.reach import Reach, rank_by_reach

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Greedy cover with diminishing returns; the gain is the usage added."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    reach = Reach(hops=evidence.settings.hops, ground="candidates", usage=True, halving=True)
    return rank_by_reach(genes, evidence, reach, budget, labelled)
