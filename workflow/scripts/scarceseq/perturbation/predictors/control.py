"""No change: every perturbed cell is a control cell. What a model has to beat to have learned anything."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scarceseq.perturbation.prior import Prior

NEEDS = ()
KINDS = ("cells", "profiles", "coordinates")


def prepare(prior: Prior) -> None:
    """Nothing to prepare."""
    return None


def fit(delta: np.ndarray, rows: Sequence[int], features: Any) -> int:
    """Number of columns."""
    return delta.shape[1]


def predict(model: int, rows: Sequence[int]) -> np.ndarray:
    """Differences of zero."""
    return np.zeros((len(rows), model))
