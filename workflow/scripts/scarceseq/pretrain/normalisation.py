"""Gene-wise mean, scale and mean TPM, fitted on the samples that pre-training and scouts may see."""

from collections.abc import Iterator

import numpy as np

from scarceseq.corpus.transform import NOT_MEASURED
from scarceseq.errors import InputError

CHUNK_SAMPLES = 1024


def fit_normalisation(expression: np.ndarray, rows: np.ndarray, minimum_scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each gene where measured, (genes,), float32, accumulated in float64.

    Fitted on `rows` of log2(TPM + 1), (samples, genes). No standard deviation is below `minimum_scale`, in log2 units,
    so that (nearly) constant genes are not blown up. Raises InputError if there are fewer than two samples, or a value
    is not finite.
    """
    if len(rows) < 2:
        raise InputError(f"normalisation: {len(rows)} samples have a role to fit on; at least 2 are needed")
    mean, measured = np.zeros(expression.shape[1]), np.zeros(expression.shape[1], dtype=np.int64)
    for chunk, values, there in _measured(expression, rows):
        if not np.isfinite(values).all():
            row = chunk[np.flatnonzero(~np.isfinite(values).all(axis=1))[0]]
            raise InputError(f"training matrix, row {row}: a value is not a finite number; build the corpus again")
        mean += values.sum(axis=0)
        measured += there.sum(axis=0)
    mean /= np.maximum(measured, 1)
    variance = np.zeros_like(mean)
    for _, values, there in _measured(expression, rows):
        variance += np.where(there, np.square(values - mean), 0.0).sum(axis=0)
    scale = np.maximum(np.sqrt(variance / np.maximum(measured, 1)), minimum_scale)
    return mean.astype(np.float32), scale.astype(np.float32)


def mean_tpm(expression: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Mean TPM of each gene, (genes,), float64; of log2(TPM + 1), `expression`, over `rows`, where measured."""
    total, measured = np.zeros(expression.shape[1]), np.zeros(expression.shape[1], dtype=np.int64)
    for _, values, there in _measured(expression, rows):
        total += (np.exp2(values) - 1).sum(axis=0)
        measured += there.sum(axis=0)
    return total / np.maximum(measured, 1)


def _measured(expression: np.ndarray, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Rows of each chunk, their values in float64, 0 where not measured, and where they are."""
    for start in range(0, len(rows), CHUNK_SAMPLES):
        chunk = rows[start : start + CHUNK_SAMPLES]
        values = np.asarray(expression[chunk], dtype=np.float64)
        there = values != NOT_MEASURED
        yield chunk, np.where(there, values, 0.0), there
