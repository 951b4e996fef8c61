"""Gaussian process on features of genes: kernel ridge with a posterior variance (Rasmussen & Williams 2006, ch. 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, cholesky, eigh, solve_triangular

from scarceseq.perturbation.ridge import RIDGES, leave_one_out_errors

NOISE = 1.0
"""Variance of a measurement, in units of the kernel's variance around the shared effect: a rule, not a fit."""


@dataclass(frozen=True)
class Process:
    """What was learned.

    Attributes
    ----------
    features : scipy.sparse.csr_array, shape (perturbations, features)
    rows : numpy.ndarray of int
        Training perturbations.
    factor : numpy.ndarray, shape (training, training)
        Lower Cholesky factor of their kernel plus noise.
    coefficients : numpy.ndarray, shape (training, columns)
    amplitude : numpy.ndarray, shape (columns,)
        Variance that a kernel of one stands for, y' (K + noise)^-1 y / n: its estimate of largest likelihood.
    noise : float
    """

    features: sparse.csr_array
    rows: np.ndarray
    factor: np.ndarray
    coefficients: np.ndarray
    amplitude: np.ndarray
    noise: float


def kernel_between(
    features: sparse.csr_array, first: "Sequence[int] | np.ndarray", second: "Sequence[int] | np.ndarray"
) -> np.ndarray:
    """Inner products of the features of two lists of genes, (first, second)."""
    return (features[first] @ features[second].T).toarray()


def fit(
    delta: np.ndarray, rows: Sequence[int] | np.ndarray, features: sparse.csr_array, noise: float | None = NOISE
) -> Process:
    """Condition on the training perturbations.

    Parameters
    ----------
    delta : numpy.ndarray, shape (training perturbations, columns)
    rows : sequence of int
        Their positions among the features.
    features : scipy.sparse.csr_array
    noise : float or None
        None for the constant of `RIDGES` with the least leave-one-out error among the training perturbations.
    """
    places = np.asarray(rows, dtype=int)
    kernel = kernel_between(features, places, places)
    if noise is None:
        values, vectors = eigh(kernel, check_finite=False)
        errors = leave_one_out_errors(np.maximum(values, 0), vectors, delta)
        noise = float(RIDGES[len(RIDGES) - 1 - int(np.argmin(errors[::-1]))])
    factor = cholesky(kernel + noise * np.eye(len(rows)), lower=True, check_finite=False)
    coefficients = cho_solve((factor, True), delta, check_finite=False)
    amplitude = np.maximum((delta * coefficients).sum(axis=0) / max(len(rows), 1), 0)
    return Process(features, places, factor, coefficients, amplitude, noise)


def predict(model: Process, rows: Sequence[int]) -> np.ndarray:
    """Posterior means, (rows, columns)."""
    return kernel_between(model.features, rows, model.rows) @ model.coefficients


def variance(model: Process, rows: Sequence[int]) -> np.ndarray:
    """Posterior variance of the effect of each perturbation, as a share of the amplitude, (rows,)."""
    solved = solve_triangular(
        model.factor, kernel_between(model.features, model.rows, rows), lower=True, check_finite=False
    )
    prior = np.asarray(model.features[rows].power(2).sum(axis=1)).ravel()
    return np.maximum(prior - (solved**2).sum(axis=0), 0)


def deviation(model: Process, rows: Sequence[int]) -> np.ndarray:
    """Posterior standard deviations of the effects, (rows, columns), in the units of `delta`."""
    return np.sqrt(variance(model, rows)[:, None] * model.amplitude[None])
