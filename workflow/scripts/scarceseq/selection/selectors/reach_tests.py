"""GraphReach for given targets: nodes count by how much the predictions of the test genes lean on them."""

from scarceseq.selection.pool import check_pool
from scarceseq.selection.reach import Reach, rank_by_reach

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Greedy cover with the usage of the test genes, whose names alone are looked at."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    reach = Reach(hops=evidence.settings.hops, ground="tests", usage=True)
    return rank_by_reach(genes, evidence, reach, budget, labelled)
