"""Random order: what every selector is judged against."""

import numpy as np

from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.pool import check_pool

NEEDS = ()
DRAWS = True


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """A random permutation of the pool."""
    genes = check_pool(pool, budget=budget, labelled=labelled)
    return np.random.default_rng(seed).permutation(genes)[:budget], np.full(len(genes), np.nan)[:budget]
