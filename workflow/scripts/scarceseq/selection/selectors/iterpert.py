"""IterPert: farthest first on the mean of the predicted profiles' kernel and of prior kernels (Huang et al. 2024).

The priors are the neighbourhood cosines of the screen's prior graphs; each kernel is divided by its largest value.
"""

from scarceseq.selection.batches import profiles
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import farthest_first, fuse, gene_kernel

NEEDS = ("graph", "priors")
START = "random"


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Farthest first; the gain is the distance to what was chosen before."""
    state = profiles(pool, evidence, budget, labelled)
    kernel = fuse([state.kernel, *(gene_kernel(graph, state.genes) for graph in evidence.priors)])
    order, gains = farthest_first(kernel, state.candidates, state.measured, budget)
    return state.genes[order], gains
