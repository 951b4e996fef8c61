"""k-means in rounds: one perturbation per cluster of predicted profiles, the one nearest to the cluster's centre."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scarceseq.selection.batches import profiles
from scarceseq.selection.clusters import nearest_to_centre, rank_by_clusters

if TYPE_CHECKING:
    from scarceseq.selection.evidence import Evidence

NEEDS = ("graph",)
DRAWS = False
ROUNDS = True
START = "random"


def rank(
    pool: Sequence[str], evidence: "Evidence", budget: int | None = None, labelled: Sequence[str] = (), seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """As many clusters of the candidates as are wanted, largest first; there is no gain."""
    state = profiles(pool, evidence, budget, labelled)
    none = np.array([], dtype=int)
    order = rank_by_clusters(state.kernel, state.candidates, none, nearest_to_centre, budget, seed, at_once=True)
    return state.genes[order], np.full(len(order), np.nan)
