"""Gene-wise mean, scale and mean TPM, fitted on the samples that pre-training and scouts may see."""

from typing import TYPE_CHECKING

import numpy as np

from scarceseq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_SAMPLES = 1024


def fit_normalisation(expression: np.ndarray, rows: np.ndarray, minimum_scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation per gene, accumulated in float64.

    Parameters
    ----------
    expression : numpy.ndarray, (samples, genes)
        log2(TPM + 1).
    rows : numpy.ndarray of int
        Samples to fit on.
    minimum_scale : float
        Floor of the standard deviation in log2 units, so that (nearly) constant genes are not blown up.

    Returns
    -------
    mean, scale : numpy.ndarray, (genes,), float32

    Raises
    ------
    InputError
        If there are fewer than two samples, or a value is not finite.
    """
    if len(rows) < 2:
        raise InputError(f"normalisation: {len(rows)} samples have a role to fit on; at least 2 are needed")
    mean = np.zeros(expression.shape[1])
    for chunk in _chunks(rows):
        values = np.asarray(expression[chunk], dtype=np.float64)
        if not np.isfinite(values).all():
            row = chunk[np.flatnonzero(~np.isfinite(values).all(axis=1))[0]]
            raise InputError(f"training matrix, row {row}: a value is not a finite number; build the corpus again")
        mean += values.sum(axis=0)
    mean /= len(rows)
    variance = np.zeros_like(mean)
    for chunk in _chunks(rows):
        variance += np.square(np.asarray(expression[chunk], dtype=np.float64) - mean).sum(axis=0)
    scale = np.maximum(np.sqrt(variance / len(rows)), minimum_scale)
    return mean.astype(np.float32), scale.astype(np.float32)


def mean_tpm(expression: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Mean TPM of each gene, (genes,), float64; of log2(TPM + 1), `expression`, over `rows`."""
    total = np.zeros(expression.shape[1])
    for chunk in _chunks(rows):
        total += (np.exp2(np.asarray(expression[chunk], dtype=np.float64)) - 1).sum(axis=0)
    return total / len(rows)


def _chunks(rows: np.ndarray) -> "Iterator[np.ndarray]":
    for start in range(0, len(rows), CHUNK_SAMPLES):
        yield rows[start : start + CHUNK_SAMPLES]
