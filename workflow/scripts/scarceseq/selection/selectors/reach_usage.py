"""GraphReach, usage-weighted: nodes count by how much the pool's own predictions lean on them."""

from scarceseq.selection.pool import check_pool
from scarceseq.selection.reach import Reach, rank_by_reach

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Greedy cover with usage weights; the gain is the usage newly reached."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    reach = Reach(hops=evidence.settings.hops, ground="candidates", usage=True)
    return rank_by_reach(genes, evidence, reach, budget, labelled)
