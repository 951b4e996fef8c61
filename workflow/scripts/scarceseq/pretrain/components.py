"""Principal components of as many samples as there are, in bounded memory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

# Up to so many samples are decomposed at once; more are read again and again in blocks of this size.
SAMPLES_AT_ONCE = 2048
SPARE_COMPONENTS = 20
PASSES = 12


@dataclass(frozen=True)
class Components:
    """Attributes
    ----------
    centre : numpy.ndarray, (genes,)
    axes : numpy.ndarray, (components, genes)
        Orthonormal, by falling variance; each with a sign such that its largest entry is positive.
    variances : numpy.ndarray, (components,)
        Of the samples along the axes; sums are divided by the number of samples.
    total_variance : float
        Over all genes.
    """

    centre: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    total_variance: float

    def scores(self, expression: np.ndarray) -> np.ndarray:
        """Coordinates along the axes, (samples, components)."""
        return (expression - self.centre) @ self.axes.T


def fit_components(read: "Callable[[np.ndarray], np.ndarray]", rows: np.ndarray, count: int, seed: int) -> Components:
    """Leading principal components.

    Exact for up to `SAMPLES_AT_ONCE` samples. For more, by subspace iteration over blocks of them (Halko, Martinsson
    and Tropp, SIAM Review 53 (2011), section 4.5), which reads each sample `PASSES` + 2 times.

    Parameters
    ----------
    read : callable
        From row numbers to expression, (rows, genes).
    rows : numpy.ndarray of int
    count : int
        Lowered to samples - 1 and to the number of genes.
    seed : int
        Of the start of the iteration.

    Returns
    -------
    Components
    """
    blocks = [rows[start : start + SAMPLES_AT_ONCE] for start in range(0, len(rows), SAMPLES_AT_ONCE)]
    if len(blocks) == 1:
        values = np.asarray(read(rows), dtype=np.float64)
        centre = values.mean(axis=0)
        _, singular, axes = np.linalg.svd(values - centre, full_matrices=False)
        count = min(count, len(rows) - 1, values.shape[1])
        return _signed(centre, axes[:count], singular[:count] ** 2 / len(rows), (singular**2).sum() / len(rows))

    centre = sum(np.asarray(read(block), dtype=np.float64).sum(axis=0) for block in blocks) / len(rows)
    total = sum(np.square(read(block) - centre).sum() for block in blocks) / len(rows)
    count = min(count, len(centre))
    width = min(count + SPARE_COMPONENTS, len(centre))
    basis = np.random.default_rng(seed).normal(size=(len(centre), width))
    for _ in range(PASSES):
        basis = np.linalg.qr(_covariance_times(read, blocks, centre, basis))[0]
    small = basis.T @ _covariance_times(read, blocks, centre, basis) / len(rows)
    variances, turn = np.linalg.eigh((small + small.T) / 2)
    leading = np.argsort(variances)[::-1][:count]
    return _signed(centre, (basis @ turn[:, leading]).T, variances[leading], total)


def _covariance_times(
    read: "Callable[[np.ndarray], np.ndarray]", blocks: list[np.ndarray], centre: np.ndarray, basis: np.ndarray
) -> np.ndarray:
    product = np.zeros(basis.shape)
    for block in blocks:
        values = np.asarray(read(block), dtype=np.float64) - centre
        product += values.T @ (values @ basis)
    return product


def _signed(centre: np.ndarray, axes: np.ndarray, variances: np.ndarray, total: float) -> Components:
    largest = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(len(axes)), largest])
    return Components(centre, axes * signs[:, None], variances, float(total))
