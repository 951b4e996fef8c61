"""PriorOnly: k-center on fused static kernels, the part of IterPert that needs no model (Huang et al. 2024).

The kernels are the neighbourhood cosines of the screen's prior graphs, each divided by its maximum, averaged.
"""

from scarceseq.errors import InputError
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import farthest_first, fuse, gene_kernel
from scarceseq.selection.pool import arrange, check_pool

NEEDS = ("priors",)


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Farthest first; the gain is the distance to what was chosen before."""
    if not evidence.priors:
        raise InputError("selector prior_only: there is no graph to take prior knowledge from")
    for graph in evidence.priors:
        genes = check_pool(pool, graph, budget, labelled)
    everyone, candidates, measured = arrange(genes, labelled)
    kernel = fuse([gene_kernel(graph, everyone) for graph in evidence.priors])
    order, gains = farthest_first(kernel, candidates, measured, budget)
    return everyone[order], gains
