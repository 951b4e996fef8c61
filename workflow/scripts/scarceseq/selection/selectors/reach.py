"""GraphReach: the greedy choice of genes that together reach the most nodes, or those that count most."""

from scarceseq import registry
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.pool import check_pool
from scarceseq.selection.reach import Reach, rank_by_reach

NEEDS = ("graph",)
VARIANTS = "selection.reaches"


def rank(
    pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0, variant: str = ""
) -> Ranking:
    """Greedy cover; without a variant every node is worth one, and a gain is the number of nodes newly reached."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    hops = evidence.settings.hops
    reach = registry.load("selection.reaches", variant).reach(hops) if variant else Reach(hops)
    return rank_by_reach(genes, evidence, reach, budget, labelled)
