"""GraphReach over the pool: only nodes that are themselves in the pool count."""

from scarceseq.selection.pool import check_pool
from scarceseq.selection.reach import Reach, rank_by_reach

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Greedy cover of the pool; the gain is the number of its genes newly reached."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    reach = Reach(hops=evidence.settings.hops, ground="candidates")
    return rank_by_reach(genes, evidence, reach, budget, labelled)
