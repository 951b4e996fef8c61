"""Sums of displacements in one pass: what numba adds to `scarceseq.guide.displacement` where it is installed."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def add_moved(total: np.ndarray, values: np.ndarray, start: np.ndarray, squared: bool) -> None:
    """Add the squared or absolute differences of `values` and `start` to `total`, (entries,) each, in float64."""
    for entry in range(total.size):
        difference = np.float64(values[entry]) - np.float64(start[entry])
        total[entry] += difference * difference if squared else abs(difference)


@numba.njit(cache=True, nogil=True)
def add_squares(total: np.ndarray, values: np.ndarray) -> None:
    """Add the squares of `values` to `total`, (entries,) each, in float64."""
    for entry in range(total.size):
        value = np.float64(values[entry])
        total[entry] += value * value
