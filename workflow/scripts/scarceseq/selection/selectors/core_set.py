"""Core-set: each perturbation as far as possible from all measured ones, to the model (Sener & Savarese 2018)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scarceseq.selection.batches import features
from scarceseq.selection.kernels import farthest_first

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
    """Farthest first on the model's features; the gain is the distance to what was chosen before."""
    state = features(pool, evidence, budget, labelled)
    order, gains = farthest_first(state.kernel, state.candidates, state.measured, budget)
    return state.genes[order], gains
