"""A double as the sum of its genes' effects alone (Ahlmann-Eltze, Huber & Anders 2025, Nature Methods 22:1657).

A gene that the pool has not alone counts with the mean effect of the genes that it has; a single gene of the test set
is predicted by that mean.
"""

from collections.abc import Sequence

import numpy as np

from scarceseq.perturbation import singles

NEEDS = ("doubles",)
KINDS = ("cells", "profiles")

prepare, fit = singles.prepare, singles.fit


def predict(model: singles.Singles, rows: Sequence[int]) -> np.ndarray:
    """Sums of the genes' effects."""
    return np.array([model.of_genes(row, model.single_mean).sum(axis=0) for row in rows])
