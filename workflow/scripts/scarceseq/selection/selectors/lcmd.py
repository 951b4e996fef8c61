"""LCMD: the farthest point of the largest cluster around what is measured (Holzmueller et al. 2023)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scarceseq.selection.batches import features, largest_cluster_first

if TYPE_CHECKING:
    import numpy as np

    from scarceseq.selection.evidence import Evidence

NEEDS = ("graph",)
DRAWS = False
ROUNDS = True
START = "random"


def rank(
    pool: Sequence[str], evidence: "Evidence", budget: int | None = None, labelled: Sequence[str] = (), seed: int = 0
) -> "tuple[np.ndarray, np.ndarray]":
    """Largest cluster by its sum of squared distances; the gain is the distance to its centre."""
    state = features(pool, evidence, budget, labelled)
    order, gains = largest_cluster_first(state.kernel, state.candidates, state.measured, budget)
    return state.genes[order], gains
