"""TypiClust: one gene per cluster, the most typical one (Hacohen, Dekel & Weinshall 2022)."""

from scarceseq.selection.clusters import most_typical, rank_on_graph

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """Largest clusters without a chosen gene first; there is no gain."""
    return rank_on_graph(pool, evidence, budget, labelled, seed, most_typical)
