"""Gaussian process on features of genes: kernel ridge with a posterior variance (Rasmussen & Williams 2006, ch. 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, cholesky, eigh, solve_triangular

from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.ridge import best_ridge

NOISE = 1.0
"""Variance of a measurement, in units of the kernel's variance around the shared effect: a rule, not a fit."""


@dataclass(frozen=True)
class Process:
    """What was learned.

    The amplitude is the variance that a kernel of one stands for, y' (K + noise)^-1 y / n: its estimate of largest
    likelihood.
    """

    features: sparse.csr_array  # (perturbations, features)
    rows: np.ndarray  # training perturbations
    factor: np.ndarray  # (training, training), lower Cholesky factor of their kernel plus noise
    coefficients: np.ndarray  # (training, columns)
    amplitude: np.ndarray  # (columns,)
    noise: float


def kernel_between(
    features: sparse.csr_array, first: "Sequence[int] | np.ndarray", second: "Sequence[int] | np.ndarray"
) -> np.ndarray:
    """Inner products of the features of two lists of genes, (first, second)."""
    return (features[first] @ features[second].T).toarray()


def prepare(prior: Prior) -> sparse.csr_array:
    """Features of all perturbed genes, from all graphs and embeddings."""
    return mean_kernel_features(prior.kernels, prior.perturbations)


def fit(
    delta: np.ndarray, rows: Sequence[int] | np.ndarray, features: sparse.csr_array, noise: float | None = NOISE
) -> Process:
    """Condition on the training perturbations: their differences, (training, columns), and places among the features.

    Noise of None is the constant of `RIDGES` with the least leave-one-out error among them.
    """
    places = np.asarray(rows, dtype=int)
    kernel = kernel_between(features, places, places)
    if noise is None:
        values, vectors = eigh(kernel, check_finite=False)
        noise = best_ridge(np.maximum(values, 0), vectors, delta)
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
