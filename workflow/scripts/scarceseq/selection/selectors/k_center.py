"""k-center: each gene as far as possible from what is chosen, in the graph's neighbourhoods (Sener & Savarese 2018).

The kernel is that of the predictor `graph_ridge` where that works on the same graph.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scarceseq.selection.kernels import farthest_first, gene_kernel
from scarceseq.selection.pool import arrange, check_pool

if TYPE_CHECKING:
    import numpy as np

    from scarceseq.selection.evidence import Evidence

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(
    pool: Sequence[str], evidence: "Evidence", budget: int | None = None, labelled: Sequence[str] = (), seed: int = 0
) -> "tuple[np.ndarray, np.ndarray]":
    """Farthest first; the gain is the distance to what was chosen before."""
    genes = check_pool(pool, evidence.graph, budget, labelled)
    everyone, candidates, measured = arrange(genes, labelled, evidence.graph)
    order, gains = farthest_first(gene_kernel(evidence.graph, everyone), candidates, measured, budget)
    return everyone[candidates[order]], gains
