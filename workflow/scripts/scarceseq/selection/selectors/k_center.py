"""k-center: each gene as far as possible from what is chosen, in the graph's neighbourhoods (Sener & Savarese 2018).

The kernel is that of the predictor `graph_ridge` where that works on the same graph.
"""

from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import farthest_first, gene_kernel
from scarceseq.selection.pool import arrange_pool

NEEDS = ("graph",)


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Farthest first; the gain is the distance to what was chosen before."""
    everyone, candidates, measured = arrange_pool(pool, evidence.graph, budget, labelled)
    order, gains = farthest_first(gene_kernel(evidence.graph, everyone), candidates, measured, budget)
    return everyone[order], gains
