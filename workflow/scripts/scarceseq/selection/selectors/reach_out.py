"""GraphReach along the edges: not where gradients go, but what a gene points at."""

from scarceseq.selection.pool import check_pool
from scarceseq.selection.reach import Reach, rank_by_reach

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Greedy cover of the nodes that edges lead to, every node worth one."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    reach = Reach(hops=evidence.settings.hops, direction="out")
    return rank_by_reach(genes, evidence, reach, budget, labelled)
