"""Linear response of control cells to the loss of one gene (CIPHER; bioRxiv 2025.06.27.661814).

A perturbation u shifts the mean by S u, S the covariance of genes among control cells. Losing gene g is u = -m_g / S_gg
at g alone, m its mean in control cells: the expectation of all genes, given that g is at 0, if cells were normal. One
number a, learned by least squares from the training perturbations, says how much of that response there is:

    delta_g = mean + a (r_g - mean r),    r_g = -S[:, g] m_g / S_gg.

CIPHER fits a number to each perturbation by its own profile, which an unseen one has not. A perturbed gene that was not
measured, or does not vary among control cells, gets the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.perturbation.prior import Prior

NEEDS = ("cells",)
KINDS = ("cells",)
NEGLIGIBLE = 1e-9
"""Share of a mean square that rounding leaves of the variance of a gene that does not vary."""


@dataclass(frozen=True)
class Model:
    """What is learned."""

    mean: np.ndarray  # (genes,)
    centre: np.ndarray  # (genes,), mean response of the training perturbations that have one
    strength: float  # a
    responses: np.ndarray  # (perturbations, genes), NaN where there is none


def prepare(prior: Prior) -> np.ndarray:
    """Response to the loss of each perturbed gene, (perturbations, genes); NaN where it has none."""
    if prior.cells is None:
        raise InputError("predictor linear_response: needs the screen's cells; it is for screens of kind cells")
    place = pd.Index(prior.columns).get_indexer(pd.Index(prior.perturbations))
    return responses(prior.cells.expression[prior.cells.condition == 0], place)


def responses(control: sparse.csr_matrix, place: np.ndarray) -> np.ndarray:
    """r_g of the module's formula for the genes of some columns; -1 is one that was not measured."""
    response = np.full((len(place), control.shape[1]), np.nan)
    there = np.flatnonzero(place >= 0)
    values = control.astype(np.float64).tocsc()
    mean = np.asarray(values.mean(axis=0)).ravel()
    lost = values[:, place[there]]
    covariance = (lost.T @ values).toarray() / control.shape[0] - mean[place[there], None] * mean
    variance = covariance[np.arange(len(there)), place[there]]
    varies = variance > NEGLIGIBLE * (variance + mean[place[there]] ** 2)
    scale = -mean[place[there]][varies] / variance[varies]
    response[there[varies]] = scale[:, None] * covariance[varies]
    return response


def fit(delta: np.ndarray, rows: Sequence[int], prepared: np.ndarray) -> Model:
    """Mean, and how much of the response there is."""
    mean, expected = delta.mean(axis=0), prepared[rows]
    used = np.isfinite(expected).all(axis=1)
    if not used.any():
        return Model(mean, np.zeros(delta.shape[1]), 0.0, prepared)
    centre = expected[used].mean(axis=0)
    around = expected[used] - centre
    size = (around**2).sum()
    strength = float((around * (delta[used] - delta[used].mean(axis=0))).sum() / size) if size > 0 else 0.0
    return Model(mean, centre, strength, prepared)


def predict(model: Model, rows: Sequence[int]) -> np.ndarray:
    """Mean, and the response of each perturbed gene that has one."""
    expected = model.responses[rows]
    shift = np.where(np.isfinite(expected), expected - model.centre, 0.0)
    return model.mean + model.strength * shift
