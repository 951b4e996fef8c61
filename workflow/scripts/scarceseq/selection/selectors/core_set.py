"""Core-set: each perturbation as far as possible from all measured ones, to the model (Sener & Savarese 2018)."""

from scarceseq.selection.batches import features
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import farthest_first

NEEDS = ("graph",)
START = "random"


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Farthest first on the model's features; the gain is the distance to what was chosen before."""
    state = features(pool, evidence, budget, labelled)
    order, gains = farthest_first(state.kernel, state.candidates, state.measured, budget)
    return state.genes[order], gains
