"""What a model has learned from the perturbations measured so far, as selectors in rounds look at it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scarceseq.errors import InputError
from scarceseq.perturbation.ridge import RIDGES, fit_dual
from scarceseq.selection.kernels import check_kernel


@dataclass(frozen=True)
class Learned:
    """A model between two rounds: how alike perturbations are to it, how noisy, and what it predicts.

    - `genes` (genes,): candidates and measured ones
    - `kernel` (genes, genes): inner products of the model's features, largest diagonal entry 1; a prior covariance
    - `noise`: variance of a measurement on the kernel's scale
    - `predicted` (genes, columns): predicted differences to control
    """

    genes: np.ndarray
    kernel: np.ndarray
    noise: float
    predicted: np.ndarray

    def ordered(self, genes: Sequence[str] | np.ndarray) -> "Learned":
        """The same for some genes, in their order; `InputError` if the model does not know one."""
        place = {gene: row for row, gene in enumerate(self.genes)}
        missing = [gene for gene in genes if gene not in place]
        if missing:
            raise InputError(f"selection in rounds: the model knows nothing of gene {missing[0]}; is it in the screen?")
        rows = np.array([place[gene] for gene in genes], dtype=int)
        return Learned(self.genes[rows], self.kernel[np.ix_(rows, rows)], self.noise, self.predicted[rows])


def learned_by_ridge(
    genes: np.ndarray, kernel: np.ndarray, measured: np.ndarray, delta: np.ndarray, predicted: np.ndarray | None = None
) -> Learned:
    """What kernel ridge regression learns: the noise is the ridge constant of the least leave-one-out error.

    - `kernel` (genes, genes): positive semi-definite; divided by its largest diagonal entry
    - `measured`: positions of the measured genes; `delta` (measured, columns): their differences to control
    - `predicted` (genes, columns): by the model that the kernel is of; by the ridge regression itself if None
    """
    if not len(measured):
        raise InputError("selection in rounds: nothing is measured yet, so that no model can be fitted")
    kernel = check_kernel(kernel) / max(float(np.diag(kernel).max()), 1e-300)
    mean = delta.mean(axis=0)
    coefficients, ridge = fit_dual(kernel[np.ix_(measured, measured)], delta - mean)
    if predicted is None:
        predicted = mean + kernel[:, measured] @ coefficients
    # the last constant means that nothing was learned; as a noise it would make all candidates alike
    return Learned(np.asarray(genes, dtype=object), kernel, float(min(ridge, RIDGES[-2])), predicted)


def posterior(kernel: np.ndarray, measured: np.ndarray, noise: float) -> np.ndarray:
    """Covariance of a Gaussian process after noisy measurements, K - K_m (K_mm + noise I)^-1 K_m'."""
    if not len(measured):
        return kernel.copy()
    inner = kernel[np.ix_(measured, measured)] + noise * np.eye(len(measured))
    half = np.linalg.solve(np.linalg.cholesky(inner), kernel[measured])
    covariance = kernel - half.T @ half
    return (covariance + covariance.T) / 2
