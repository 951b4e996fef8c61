"""V-optimal choice on features: the posterior of a Gaussian process without its covariance matrix.

With K = F F' and W the posterior covariance's past updates, a column of the covariance costs a product with the sparse
features and one with W: a choice among 18,000 genes needs no matrix of 18,000 by 18,000, and nothing is approximated.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular

BLOCK = 1000  # rows of the kernel at a time, for the sums of its squares


class Posterior:
    """Posterior covariance C of all genes while measurements are added, and what each further one would gain.

    - `features` (genes, features): the prior covariance is their inner products
    - `worth` (genes,): how much the error of each gene's prediction counts: 0 for genes that are no targets
    - `noise`: variance of a measurement
    """

    def __init__(self, features: sparse.csr_array, worth: np.ndarray, noise: float) -> None:
        self.features, self.transposed = features, features.T.tocsr()
        self.worth, self.noise = worth, noise
        self.variance = np.asarray(features.power(2).sum(axis=1)).ravel()
        # sums over the targets of their squared covariance with each gene
        self.squares = np.zeros(len(worth))
        targets = np.flatnonzero(worth > 0)
        for start in range(0, len(targets), BLOCK):
            some = targets[start : start + BLOCK]
            block = (features[some] @ self.transposed).tocsr()
            self.squares += np.asarray(block.power(2).T @ worth[some]).ravel()
        self.updates = np.empty((len(worth), 0), order="F")
        self.count = 0

    def column(self, gene: int) -> np.ndarray:
        """Covariance of all genes with one."""
        prior = np.asarray(self.features @ self.features[[gene]].toarray().ravel())
        past = self.updates[:, : self.count]
        return prior - past @ past[gene]

    def gains(self) -> np.ndarray:
        """What measuring each gene takes from the summed posterior variance of the targets (Yu, Bi & Tresp 2006)."""
        return np.maximum(self.squares, 0) / (np.maximum(self.variance, 0) + self.noise)

    def measure(self, gene: int) -> None:
        """Add a measurement."""
        update = self.column(gene)
        update /= np.sqrt(max(update[gene], 0) + self.noise)
        past, weighted = self.updates[:, : self.count], self.worth * update
        cross = np.asarray(self.features @ (self.transposed @ weighted)) - past @ (past.T @ weighted)
        self.squares += update * (update * (weighted @ update) - 2 * cross)
        self.variance -= update**2
        if self.count == self.updates.shape[1]:
            room = np.empty((len(update), max(32, 2 * self.count)), order="F")
            room[:, : self.count] = past
            self.updates = room
        self.updates[:, self.count] = update
        self.count += 1


def error_curve(
    features: sparse.csr_array,
    order: Sequence[int] | np.ndarray,
    measured: Sequence[int] | np.ndarray,
    worth: np.ndarray,
    noise: float,
) -> np.ndarray:
    """Mean posterior variance of the targets that are not measured, before and after each choice of an order.

    The first k rows of a Cholesky factor are the factor of the first k measurements, so that one solve serves all
    beginnings of the order. NaN where no target is left.

    - `features` (genes, features)
    - `order`, `measured`: chosen in this order; measured before
    - `worth` (genes,): weight of each gene in the mean; 0 for genes that are no targets
    """
    rows = np.concatenate([measured, order]).astype(int)
    targets = np.flatnonzero(worth > 0)
    chosen, wanted = features[rows], features[targets]
    weight, place = worth[targets], np.full(features.shape[0], -1)
    place[targets] = np.arange(len(targets))
    prior = np.asarray(wanted.power(2).sum(axis=1)).ravel()
    factor = cholesky((chosen @ chosen.T).toarray() + noise * np.eye(len(rows)), lower=True, check_finite=False)
    taken = solve_triangular(factor, (chosen @ wanted.T).toarray(), lower=True, check_finite=False, overwrite_b=True)
    np.square(taken, out=taken)
    left = prior @ weight - np.concatenate([[0.0], np.cumsum(taken @ weight)])
    total = np.full(len(rows) + 1, weight.sum())
    for step, row in enumerate(rows):  # what is measured is no longer predicted
        at = place[row]
        if at >= 0:
            variance = prior[at] - np.cumsum(taken[:, at])
            left[step + 1 :] -= weight[at] * variance[step:]
            total[step + 1 :] -= weight[at]
    share = np.divide(left, total, out=np.full(len(left), np.nan), where=total > 1e-9)
    return share[len(measured) :]
