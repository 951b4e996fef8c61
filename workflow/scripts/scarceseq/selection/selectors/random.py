"""Random order: what every selector is judged against."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scarceseq.selection.pool import check_pool

if TYPE_CHECKING:
    from scarceseq.selection.evidence import Evidence

NEEDS = ()
DRAWS = True
ROUNDS = False


def rank(
    pool: Sequence[str], evidence: "Evidence", budget: int | None = None, labelled: Sequence[str] = (), seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A random permutation of the pool."""
    genes = check_pool(pool, budget=budget, labelled=labelled)
    return np.random.default_rng(seed).permutation(genes)[:budget], np.full(len(genes), np.nan)[:budget]
