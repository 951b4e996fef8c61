"""A double as the mean of its genes' effects alone: the matching mean (Vinas Torne et al. 2025, Systema).

A gene that the pool has not alone counts with the mean of the pool, by which a single gene of the test set is
predicted.
"""

from collections.abc import Sequence

import numpy as np

from scarceseq.perturbation import singles

NEEDS = ("doubles",)
KINDS = ("cells", "profiles")

prepare, fit = singles.prepare, singles.fit


def predict(model: singles.Singles, rows: Sequence[int]) -> np.ndarray:
    """Means of the genes' effects."""
    return np.array([model.of_genes(row, model.mean).mean(axis=0) for row in rows])
