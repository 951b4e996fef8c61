"""From coverage sums to TPM, as the Bioconductor package recount computes it (``getTPM.R``).

Matrices are (samples, genes) here and (genes, samples) there.
"""

import numpy as np
from numpy.typing import ArrayLike

# In which log2(TPM + 1) is stored: off by at most 2**-11 of itself (2**-25 below 2**-14). Whoever computes with it
# casts first; `Base.standardise` does so on its device.
TRAINING_TYPE = np.dtype("<f2")


# What the training matrix holds of a gene that a sample's study did not measure; a logarithm of TPM + 1 is at least 0.
NOT_MEASURED = -1024.0


def tpm(counts: ArrayLike, bp_length: ArrayLike) -> np.ndarray:
    """Transcripts per million, float64, (samples, genes); rows add up to 1e6.

    Of coverage sums, unrounded: read length and sequencing depth cancel, so that no QC figure is needed. Rounding first
    would move short genes by several units. `bp_length`, (genes,), are the exonic bases of each gene, not its width on
    the genome.
    """
    rate = np.asarray(counts, dtype=np.float64) / np.asarray(bp_length, dtype=np.float64)
    return rate / rate.sum(axis=1, keepdims=True) * 1e6


def log_tpm(counts: ArrayLike, bp_length: ArrayLike) -> np.ndarray:
    """log2(TPM + 1), float64, (samples, genes): at most 20."""
    return np.log2(tpm(counts, bp_length) + 1)


def measured_or_mean(expression: np.ndarray) -> np.ndarray:
    """Rows of the training matrix, (samples, genes), float32, each gene's mean in place of what was not measured."""
    values = np.asarray(expression, dtype=np.float32)
    there = values != NOT_MEASURED
    if there.all():
        return values
    total = np.where(there, values, 0).sum(axis=0, dtype=np.float64)
    return np.where(there, values, (total / np.maximum(there.sum(axis=0), 1)).astype(np.float32))
