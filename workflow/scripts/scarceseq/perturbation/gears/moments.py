"""Central moments of the difference between cells and control cells, which stand for all pairs of them.

For independent x (control) and y (cells) the first four central moments of D = y - x follow from those of x and y: no
pair is ever formed. All sums are in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scarceseq.errors import InputError

if TYPE_CHECKING:  # training imports torch and numpy alone
    from scipy import sparse

CELLS_AT_ONCE = 256


@dataclass(frozen=True)
class Moments:
    """Mean and central moments; arrays of one shape (..., genes)."""

    mean: np.ndarray
    second: np.ndarray
    third: np.ndarray
    fourth: np.ndarray

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Mean, second, third, fourth."""
        return self.mean, self.second, self.third, self.fourth


@dataclass(frozen=True)
class ScreenMoments:
    """What a screen's cells say to a model that predicts differences of conditions; condition 0 is control."""

    difference: Moments  # of cell - control over all pairs, (conditions, genes); of control against itself
    cells: np.ndarray  # (conditions,), their number
    expressed: np.ndarray  # (conditions, genes), whether some cell of the condition expresses a gene; all for control
    control: Moments  # of control cells, (batches, genes)
    mean_control: np.ndarray  # (genes,)


def screen_moments(
    expression: "np.ndarray | sparse.csr_matrix", condition: np.ndarray, batch: np.ndarray | None = None
) -> ScreenMoments:
    """Moments of every condition's difference to control.

    Cells are compared with control cells of their own batch; with all control cells where their batch has none.

    Parameters
    ----------
    expression : array or scipy CSR matrix, shape (cells, genes)
        Log-normalised.
    condition, batch : array of int, shape (cells,)
        0 is control; every number up to the largest occurs.

    Raises
    ------
    InputError
        If there are no control cells, or a condition has no cells.
    """
    condition = np.asarray(condition)
    batch = np.zeros(len(condition), dtype=int) if batch is None else np.asarray(batch)
    controls = np.flatnonzero(condition == 0)
    if not len(controls):
        raise InputError("moments of a screen: there are no control cells; check the screen's key control")
    empty = np.flatnonzero(np.bincount(condition) == 0)
    if len(empty):
        raise InputError(f"moments of a screen: condition {empty[0]} has no cells; number those that have some")
    groups = {}
    for group in sorted(set(zip(condition.tolist(), batch.tolist(), strict=True))):
        groups[group] = np.flatnonzero((condition == group[0]) & (batch == group[1]))
    of_group = {group: moments_of_cells(expression, rows) for group, rows in groups.items()}
    control_groups = [group for group in groups if group[0] == 0]
    everywhere = merge([of_group[group] for group in control_groups], [len(groups[group]) for group in control_groups])
    of_control = [of_group.get((0, place), everywhere) for place in range(batch.max() + 1)]
    differences, expressed, cells = [], [], []
    for place in range(condition.max() + 1):
        keys = [group for group in groups if group[0] == place]
        sizes = [len(groups[key]) for key in keys]
        differences.append(merge([difference(of_group[key], of_control[key[1]]) for key in keys], sizes))
        expressed.append(merge([of_group[key] for key in keys], sizes).mean != 0 if place else True)
        cells.append(sum(sizes))
    seen = np.stack([np.broadcast_to(row, everywhere.mean.shape) for row in expressed])
    return ScreenMoments(stack(differences), np.array(cells), seen, stack(of_control), everywhere.mean)


def moments_of_cells(expression: "np.ndarray | sparse.csr_matrix", rows: np.ndarray) -> Moments:
    """Moments of some cells, each counting alike; (genes,)."""
    blocks, sizes = [], []
    for start in range(0, len(rows), CELLS_AT_ONCE):
        values = dense(expression, rows[start : start + CELLS_AT_ONCE]).astype(np.float64)
        mean = values.mean(axis=0)
        values -= mean
        squares = values * values
        blocks.append(Moments(mean, squares.mean(axis=0), (squares * values).mean(axis=0), (squares**2).mean(axis=0)))
        sizes.append(len(values))
    return merge(blocks, sizes)


def dense(expression: "np.ndarray | sparse.csr_matrix", rows: np.ndarray) -> np.ndarray:
    """Some rows of a dense or sparse matrix as a dense array."""
    values = expression[rows]
    return values.toarray() if hasattr(values, "toarray") else np.asarray(values)


def merge(components: Sequence[Moments], weights: Sequence[float]) -> Moments:
    """Moments of a mixture.

    With s a component's mean less the mixture's, E (v - mean)^4 of it is m4 + 4 s m3 + 6 s^2 m2 + s^4, and so on (Pebay
    2008, in weighted form).
    """
    weights = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    mean = sum(weight * component.mean for weight, component in zip(weights, components, strict=True))
    total = np.zeros((3, *mean.shape))
    for weight, component in zip(weights, components, strict=True):
        s = component.mean - mean
        total[0] += weight * (component.second + s**2)
        total[1] += weight * (component.third + 3 * s * component.second + s**3)
        total[2] += weight * (component.fourth + 4 * s * component.third + 6 * s**2 * component.second + s**4)
    return Moments(np.asarray(mean), *total)


def difference(cells: Moments, control: Moments) -> Moments:
    """Moments of y - x for independent y of `cells` and x of `control`."""
    return Moments(
        cells.mean - control.mean,
        cells.second + control.second,
        cells.third - control.third,
        cells.fourth + 6 * cells.second * control.second + control.fourth,
    )


def stack(several: Sequence[Moments]) -> Moments:
    """Moments as rows of one table."""
    return Moments(*(np.stack(arrays) for arrays in zip(*(one.arrays() for one in several), strict=True)))


def expected_weights(cells: np.ndarray, batch_cells: int) -> np.ndarray:
    """Mean weight of each condition in the loss of a mini-batch of the reference.

    There a batch averages over its K distinct conditions, so the weight of a condition that is present is 1 / K. With
    cells drawn without replacement, E[present / K] is the integral over s in [0, 1] of E[present s^(K-1)], and that
    generating function is a coefficient of a product over conditions: of ((1 + z)^n - 1) for the condition itself and
    1 + s ((1 + z)^n - 1) for each other one. It is a polynomial in s, which a Gauss-Legendre rule integrates exactly.
    The cells of each condition are given, (conditions,), and so are the weights, which sum to 1.
    """
    cells = np.asarray(cells)
    size = min(batch_cells, int(cells.sum()))
    present = np.stack([_binomials(count, size, cells.sum()) for count in cells])  # (conditions, powers of z)
    present[:, 0] = 0
    points, rule = np.polynomial.legendre.leggauss(size // 2 + 1)
    weights = np.zeros(len(cells))
    for s, share in zip((points + 1) / 2, rule / 2, strict=True):
        factor = s * present
        factor[:, 0] = 1
        before, after = [_one(size)], [_one(size)]
        for index in range(len(cells) - 1):
            before.append(_product(before[-1], factor[index]))
            after.append(_product(after[-1], factor[-1 - index]))
        others = [_product(first, last) for first, last in zip(before, after[::-1], strict=True)]
        weights += share * np.array([_product(each, rest)[size] for each, rest in zip(present, others, strict=True)])
    return weights / weights.sum()


def _binomials(count: int, size: int, scale: float) -> np.ndarray:
    """Coefficients of (1 + z / scale)^count up to z^size; the scale keeps them in range."""
    steps = np.arange(1, size + 1)
    return np.concatenate([[1.0], np.cumprod(np.maximum(count - steps + 1, 0) / (steps * scale))])


def _one(size: int) -> np.ndarray:
    return np.eye(1, size + 1)[0]


def _product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Product of two polynomials up to the highest power that they hold."""
    return np.convolve(first, second)[: len(first)]
