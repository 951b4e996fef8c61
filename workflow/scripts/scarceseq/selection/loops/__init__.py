"""Inner loops of reach and greedy cover: compiled by numba where it is installed, else by numpy and scipy.

Both modules have the same functions, work in whole numbers and give the same results.
"""

from types import ModuleType

import numpy as np

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Starts, items and values (or distances) in compressed form: row i lies between starts[i] and starts[i + 1]."""


def fastest() -> ModuleType:
    """Module with the loops that this machine runs fastest."""
    try:
        from scarceseq.selection.loops import compiled
    except ImportError:
        from scarceseq.selection.loops import vectorised

        return vectorised
    return compiled
