"""The mean of the training perturbations, whatever is perturbed: what a useful model has to beat."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scarceseq.perturbation.prior import Prior

NEEDS = ()
KINDS = ("cells", "profiles", "coordinates")


def prepare(prior: Prior) -> None:
    """Nothing to prepare."""
    return None


def fit(delta: np.ndarray, rows: Sequence[int], features: Any) -> np.ndarray:
    """Mean profile, shape (columns,)."""
    return delta.mean(axis=0)


def predict(model: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """The mean, once per perturbation."""
    return np.broadcast_to(model, (len(rows), len(model)))
