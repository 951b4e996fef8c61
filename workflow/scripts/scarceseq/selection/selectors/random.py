"""Random order: what every selector is judged against."""

import numpy as np

from scarceseq.selection.pool import check_pool

NEEDS = ()
DRAWS = True
ROUNDS = False


def rank(pool, evidence, budget=None, labelled=(), seed=0):
    """A random permutation of the pool."""
    genes = check_pool(pool, budget=budget, labelled=labelled)
    return np.random.default_rng(seed).permutation(genes)[:budget], np.full(len(genes), np.nan)[:budget]
