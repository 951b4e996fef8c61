"""Random order: what every selector is judged against."""

import numpy as np

from scarceseq.selection.pool import check_pool

NEEDS_GRAPH = False
DRAWS = True


def rank(pool, graph, seed, settings):
    """A random permutation of the pool."""
    genes = check_pool(pool)
    return np.random.default_rng(seed).permutation(genes), np.full(len(genes), np.nan)
