"""Effects of the same perturbations in other contexts: other cell lines, other conditions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scarceseq.errors import InputError

if TYPE_CHECKING:
    import anndata


def measured_elsewhere(
    perturbations: Sequence[str] | np.ndarray, columns: Sequence[str] | np.ndarray, others: "Sequence[anndata.AnnData]"
) -> np.ndarray:
    """Mean effect of each perturbation on each gene over the contexts that measured both.

    Parameters
    ----------
    perturbations, columns : sequence of str
        Of the screen.
    others : sequence of anndata.AnnData
        Profiles of the other contexts, X = delta.

    Returns
    -------
    numpy.ndarray, shape (perturbations, columns)
        NaN where no context measured it.

    Raises
    ------
    InputError
        If no context has a perturbation and a gene of the screen.
    """
    total, count = np.zeros((2, len(perturbations), len(columns)))
    for profiles in others:
        rows = pd.Index(profiles.obs_names).get_indexer(pd.Index(perturbations))
        genes = pd.Index(profiles.var_names).get_indexer(pd.Index(columns))
        there = np.ix_(np.flatnonzero(rows >= 0), np.flatnonzero(genes >= 0))
        total[there] += np.asarray(profiles.X, dtype=float)[np.ix_(rows[rows >= 0], genes[genes >= 0])]
        count[there] += 1
    if not count.any():
        raise InputError(
            "other contexts: none of them has a perturbation and a gene of this screen; check the screen's key contexts"
        )
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def filled(elsewhere: np.ndarray) -> np.ndarray:
    """The same with the mean perturbation where nothing is known; 0 for a gene that no context measured."""
    measured = np.isfinite(elsewhere)
    return np.where(measured, elsewhere, mean_where(measured, elsewhere))


def mean_where(measured: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean of each column over the perturbations that were measured, (columns,); 0 where none was."""
    count = measured.sum(axis=0)
    return np.divide(np.where(measured, values, 0).sum(axis=0), count, out=np.zeros(len(count)), where=count > 0)
