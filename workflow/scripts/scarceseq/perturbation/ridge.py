"""Kernel ridge regression with the constant chosen by leave-one-out error, in closed form."""

import numpy as np
from scipy.linalg import eigh, qr

# Ridge constants tried, for a kernel with unit diagonal; the last one amounts to predicting the mean.
RIDGES = (*np.logspace(-2, 2, 9), 1e6)


def fit_dual(kernel: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, float]:
    """Dual coefficients of ridge regression, (samples, columns), and the constant, chosen by leave-one-out error.

    Parameters
    ----------
    kernel : numpy.ndarray, shape (samples, samples)
        Positive semi-definite.
    targets : numpy.ndarray, shape (samples, columns)
        Already centred.
    """
    if not len(kernel):
        return np.zeros((0, targets.shape[1])), RIDGES[-1]
    values, vectors = eigh(kernel, check_finite=False)
    values = np.maximum(values, 0)
    ridge = best_ridge(values, vectors, targets)
    return vectors @ ((vectors.T @ targets) / (values + ridge)[:, None]), ridge


def best_ridge(values: np.ndarray, vectors: np.ndarray, targets: np.ndarray) -> float:
    """The constant of `RIDGES` with the least leave-one-out error, the larger one on a tie."""
    errors = leave_one_out_errors(values, vectors, targets)
    return float(RIDGES[len(RIDGES) - 1 - int(np.argmin(errors[::-1]))])


def leave_one_out_errors(values: np.ndarray, vectors: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Sum of squared leave-one-out residuals for each constant of `RIDGES`.

    The residual of sample i is r_i / (1 - h_ii), with r the residuals and h the hat matrix of the full fit (Allen's
    PRESS); the centring of the targets is taken as given.

    Parameters
    ----------
    values, vectors : numpy.ndarray
        Eigenvalues and eigenvectors (columns) of the kernel.
    targets : numpy.ndarray, shape (samples, columns)
    """
    if targets.shape[1] > len(targets):
        # only inner products of the targets matter: as many columns as samples will do
        targets = qr(targets.T, mode="r", check_finite=False)[0][: len(targets)].T
    rotated = vectors.T @ targets
    squared = vectors**2
    errors = []
    for ridge in RIDGES:
        shrink = ridge / (values + ridge)
        residual = vectors @ (shrink[:, None] * rotated)
        errors.append(float((residual**2).sum(axis=1) @ (squared @ shrink) ** -2.0))
    return np.array(errors)
