"""k-means: one gene per cluster of the graph's neighbourhoods, the one nearest to the cluster's centre."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scarceseq.selection.clusters import nearest_to_centre, rank_on_graph

if TYPE_CHECKING:
    import numpy as np

    from scarceseq.selection.evidence import Evidence

NEEDS = ("graph",)
DRAWS = False
ROUNDS = False


def rank(
    pool: Sequence[str], evidence: "Evidence", budget: int | None = None, labelled: Sequence[str] = (), seed: int = 0
) -> "tuple[np.ndarray, np.ndarray]":
    """Largest clusters without a chosen gene first; there is no gain."""
    return rank_on_graph(pool, evidence, budget, labelled, seed, nearest_to_centre)
