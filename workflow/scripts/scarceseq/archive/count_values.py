"""Whether the numbers of a user's table are read counts, and not what is taken for them."""

import logging
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from scarceseq.errors import InputError

log = logging.getLogger(__name__)

# A smaller table says too little about what its numbers are.
LEAST_GENES = 20
LARGEST_LOGARITHM = 30
PER_MILLION = 1e6
PER_MILLION_TOLERANCE = 0.01
# Reads of one sample; bases covered are about a hundred times as many.
MOST_READS = 1e9
# Coverage is in bases; read pairs counted twice are multiples of two, and are counts.
LEAST_STEP = 10
LENGTH_CORRELATION = 0.98
NO_SAMPLE = re.compile(
    r"(bp|gene|exon(ic)?|transcript|effective|eff|mean|median|merged)?[ ._-]*(length|len|width|size)s?([ ._-]*bp)?|"
    r"chr|chrom(osome)?|start|end|strand|gc|gc[ ._-]*content",
    re.IGNORECASE,
)
ESTIMATED = (
    "give read counts, not RPKM, TPM, means or normalised values; estimated counts, as salmon, kallisto and RSEM give "
    "them, are taken with `quantity: estimated`"
)


def whole_counts(table: pd.DataFrame, quantity: str, source: str) -> np.ndarray:
    """Read counts of a table, genes x samples, as int64; those of the quantity ``estimated`` are rounded.

    Raises
    ------
    InputError
        For anything that is not a count, naming the first cell, and for a sample without reads.
    """
    values = table.to_numpy()
    rounded = np.rint(values)
    refused = [
        ("blank or NaN cells", ~np.isfinite(values), "give a count for every cell, 0 included"),
        ("negative values", values < 0, "give read counts, neither differences nor logarithms"),
        ("fractions", (values != rounded) & np.bool_(quantity != "estimated"), ESTIMATED),
        ("values beyond 2**53", values > 2**53, "check the table"),
    ]
    for what, where, advice in refused:
        if where.any():
            row, column = np.argwhere(where)[0]
            cell = f"gene {table.index[row]}, sample {table.columns[column]}: {values[row, column]}"
            raise InputError(f"{source} has {what} ({where.sum()}; the first at {cell}); {advice}")
    empty = np.flatnonzero(rounded.sum(axis=0) == 0)
    if len(empty):
        names = ", ".join(map(str, table.columns[empty]))
        raise InputError(f"{source}: sample {names} is all zero; leave it out of the labels")
    if len(table) >= LEAST_GENES:
        _check_scale(values, source)
    return rounded.astype(np.int64)


def _check_scale(values: np.ndarray, source: str) -> None:
    """Refuse values that are whole, or rounded, and yet no counts."""
    sums = values.sum(axis=0)
    if values.max() < LARGEST_LOGARITHM:
        raise InputError(
            f"{source}: no value is above {values.max():g}, so that these are logarithms and no read counts; give the "
            "counts as they were before"
        )
    if (np.abs(sums / PER_MILLION - 1) < PER_MILLION_TOLERANCE).all():
        raise InputError(
            f"{source}: every sample adds up to a million, so that these are TPM or CPM and no read counts; give the "
            "counts as they were before"
        )
    step = int(np.gcd.reduce(np.rint(values).astype(np.int64).ravel()))
    step = step if step >= LEAST_STEP and len(np.unique(values)) >= LEAST_GENES else 1
    if np.median(sums) > MOST_READS or step > 1:
        why = f"every value is a multiple of {step}" if step > 1 else f"a sample adds up to {np.median(sums):.3g}"
        raise InputError(
            f"{source}: {why}, so that these are sums of coverage (bases) and no read counts; divide them by the "
            "length of the reads, as recount3's compute_read_counts does"
        )


def check_samples_are_no_lengths(table: pd.DataFrame, lengths: Sequence[float], source: str) -> None:
    """Refuse a column of gene lengths, or of places on the genome, that is taken as a sample.

    The table is genes x samples; `lengths` are the bases of each row's gene, 0 or NaN where unknown.
    """
    named = [str(name) for name in table.columns if NO_SAMPLE.fullmatch(str(name))]
    advice = "remove the column, or give labels that name the samples alone"
    if named:
        raise InputError(f"{source}: column '{named[0]}' is no sample by its name; {advice}")
    bases = np.nan_to_num(np.asarray(lengths, dtype=float))
    usable = np.greater(bases, 0)
    if usable.sum() < LEAST_GENES or np.ptp(bases[usable]) == 0:
        return
    logs = np.log(bases[usable])
    for name in table.columns:
        values = table[name].to_numpy()[usable]
        if (values > 0).all() and np.ptp(values) > 0:
            correlation = np.corrcoef(logs, np.log(values))[0, 1]
            if correlation > LENGTH_CORRELATION:
                raise InputError(
                    f"{source}: column '{name}' follows the genes' lengths (correlation of logarithms "
                    f"{correlation:.3f}) and is no sample; {advice}"
                )
