"""The effect measured elsewhere: the mean over other contexts of each perturbation, scaled to this one.

    delta_p = mean + a (e_p - mean e),

e_p the effect of p elsewhere, a the least-squares slope over the training perturbations that were measured elsewhere
too. A perturbation of which no context knows gets the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scarceseq.errors import InputError
from scarceseq.perturbation.contexts import mean_where
from scarceseq.perturbation.prior import Prior

NEEDS = ("contexts",)
KINDS = ("cells", "profiles", "coordinates")


@dataclass(frozen=True)
class Model:
    """What is learned."""

    mean: np.ndarray  # (columns,)
    centre: np.ndarray  # (columns,), mean effect elsewhere of the training perturbations
    slope: float
    elsewhere: np.ndarray  # (perturbations, columns), NaN where nothing is known


def prepare(prior: Prior) -> np.ndarray:
    """Effects elsewhere, (perturbations, columns)."""
    if prior.contexts is None:
        raise InputError("predictor other_contexts: name other screens by the screen's key contexts")
    return prior.contexts


def fit(delta: np.ndarray, rows: Sequence[int], elsewhere: np.ndarray) -> Model:
    """Means and the slope."""
    there = elsewhere[rows]
    measured = np.isfinite(there)
    centre, level = mean_where(measured, there), mean_where(measured, delta)
    around = np.where(measured, there - centre, 0.0)
    size = (around**2).sum()
    slope = float((around * (delta - level)).sum() / size) if size > 0 else 0.0
    return Model(delta.mean(axis=0), centre, slope, elsewhere)


def predict(model: Model, rows: Sequence[int]) -> np.ndarray:
    """Mean, and the scaled difference elsewhere where it is known."""
    there = model.elsewhere[rows]
    return model.mean + model.slope * np.where(np.isfinite(there), there - model.centre, 0.0)
