"""IterPert: farthest first on the mean of the predicted profiles' kernel and of prior kernels (Huang et al. 2024).

The priors are the neighbourhood cosines of the screen's prior graphs; each kernel is divided by its largest value.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scarceseq.selection.batches import profiles
from scarceseq.selection.kernels import farthest_first, fuse, gene_kernel

if TYPE_CHECKING:
    import numpy as np

    from scarceseq.selection.evidence import Evidence

NEEDS = ("graph", "priors")
DRAWS = False
ROUNDS = True
START = "random"


def rank(
    pool: Sequence[str], evidence: "Evidence", budget: int | None = None, labelled: Sequence[str] = (), seed: int = 0
) -> "tuple[np.ndarray, np.ndarray]":
    """Farthest first; the gain is the distance to what was chosen before."""
    state = profiles(pool, evidence, budget, labelled)
    kernel = fuse([state.kernel, *(gene_kernel(graph, state.genes) for graph in evidence.priors)])
    order, gains = farthest_first(kernel, state.candidates, state.measured, budget)
    return state.genes[order], gains
