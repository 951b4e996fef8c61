"""From coverage sums to scaled counts, reads and RPKM, as the Bioconductor package recount3 computes them.

The pipeline stores exact sums and TPM and needs none of these: that they give R's tables shows that sums and QC columns
are read as upstream reads them. Matrices are (samples, genes) here and (genes, samples) there; halves round to even in
both. Sources: ``transform_counts.R`` and ``read_counts.R`` of recount3, ``getRPKM.R`` of recount.
"""

import numpy as np
from numpy.typing import ArrayLike

TARGET_READS = 4e7
TARGET_LENGTH_BASES = 100


def scale_by_auc(auc_bases: ArrayLike, target_reads: float = TARGET_READS) -> np.ndarray:
    """Factors that bring samples to one total coverage.

    Parameters
    ----------
    auc_bases : array (samples,)
        ``bc_auc.all_reads_all_bases`` of the QC table. The similar figure over annotated bases counts overlapping
        annotations several times and is no denominator.

    Returns
    -------
    numpy.ndarray
        float64, (samples,); inf or NaN for a failed run.
    """
    with np.errstate(divide="ignore"):
        return target_reads / np.asarray(auc_bases, dtype=np.float64)


def is_paired_end(average_mapped_length_bases: ArrayLike, average_read_length_bases: ArrayLike) -> np.ndarray:
    """1.0 for paired-end, 0.0 for single-end, NaN where the ratio of lengths is neither 1 nor 2 after rounding.

    Parameters
    ----------
    average_mapped_length_bases : array (samples,)
        ``star.average_mapped_length``: of both mates together.
    average_read_length_bases : array (samples,)
        ``avg_len`` of the sequence QC table: of one mate.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.rint(np.asarray(average_mapped_length_bases, float) / np.asarray(average_read_length_bases, float))
    return np.where(ratio == 2, 1.0, np.where(ratio == 1, 0.0, np.nan))


def scale_by_mapped_reads(
    mapped_reads: ArrayLike,
    average_mapped_length_bases: ArrayLike,
    paired_end: ArrayLike,
    target_reads: float = TARGET_READS,
    target_length: float = TARGET_LENGTH_BASES,
) -> np.ndarray:
    """Factors that bring samples to one number of mapped reads of one length, in bases.

    Not interchangeable with `scale_by_auc`: they differ by target length over read length.

    Returns
    -------
    numpy.ndarray
        float64, (samples,).
    """
    mates = 1 + np.asarray(paired_end, dtype=np.float64)
    length = np.asarray(average_mapped_length_bases, dtype=np.float64)
    return target_reads * target_length * mates / (np.asarray(mapped_reads, dtype=np.float64) * length**2)


def scaled_counts(base_coverage: ArrayLike, scale: ArrayLike) -> np.ndarray:
    """Counts comparable between samples.

    Parameters
    ----------
    base_coverage : array (samples, genes)
    scale : array (samples,)

    Returns
    -------
    numpy.ndarray
        float64 whole numbers, (samples, genes).
    """
    return np.rint(np.asarray(base_coverage, dtype=np.float64) * np.asarray(scale)[:, None])


def read_counts(base_coverage: ArrayLike, average_mapped_length_bases: ArrayLike) -> np.ndarray:
    """Reads per gene, fragments for paired-end runs; same shapes as `scaled_counts`."""
    length = np.asarray(average_mapped_length_bases, dtype=np.float64)
    return np.rint(np.asarray(base_coverage, dtype=np.float64) / length[:, None])


def rpkm(counts: ArrayLike, bp_length: ArrayLike) -> np.ndarray:
    """Reads per kilobase of exon per million.

    Parameters
    ----------
    counts : array (samples, genes)
    bp_length : array (genes,)
        Exonic bases of each gene, not its width on the genome.

    Returns
    -------
    numpy.ndarray
        float64, (samples, genes).
    """
    counts = np.asarray(counts, dtype=np.float64)
    millions = counts.sum(axis=1, keepdims=True) / 1e6
    return counts / (np.asarray(bp_length, dtype=np.float64) / 1e3) / millions
