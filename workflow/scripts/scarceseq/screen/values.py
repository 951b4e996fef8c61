"""What the values of a screen are: counts, or logarithms of them, and what is neither."""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from scarceseq.errors import InputError

LARGEST_LOGARITHM = 15.0
"""e^15 are 3.3 million: no cell has as many transcripts of a gene, whatever it is normalised to but millions."""
SPREAD = 0.1
"""Standard deviation of the cells' sums over their mean, up to which they count as equal."""
ROUNDING = 1e-4
"""How far expm1 of a single-precision logarithm of a count is from it, as a share of it."""
DECLARED = {"counts": "counts", "estimated_counts": "counts", "normalised": "normalised"}


@dataclass
class Evidence:
    """What is seen of the values, block by block; of blocks before the first fraction only that there was none."""

    whole: bool = True  # all values are whole numbers
    whole_once_raised: bool = True  # so is expm1 of all
    largest: float = 0.0
    sums: list[np.ndarray] = field(default_factory=list)  # of each cell, of the values
    raised: list[np.ndarray] = field(default_factory=list)  # of expm1 of them
    raised_to_two: list[np.ndarray] = field(default_factory=list)  # of 2^value - 1

    def add(self, block: sparse.csr_matrix) -> None:
        """Look at the values of some cells."""
        self.whole = self.whole and bool((block.data == np.round(block.data)).all())
        if self.whole:
            return
        data = block.data.astype(np.float64)
        self.largest = max(self.largest, float(data.max(initial=0.0)))
        rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
        low = np.minimum(data, 2 * LARGEST_LOGARITHM)
        raised = np.expm1(low)
        near = np.abs(raised - np.round(raised)) <= ROUNDING * np.maximum(raised, 1)
        self.whole_once_raised = self.whole_once_raised and bool(near.all())
        for kept, values in ((self.sums, data), (self.raised, raised), (self.raised_to_two, np.exp2(low) - 1)):
            kept.append(np.bincount(rows, weights=values, minlength=block.shape[0]))


def spread(sums: list[np.ndarray]) -> float:
    """Standard deviation over mean of the sums of all cells that have any."""
    values = np.concatenate(sums) if sums else np.zeros(0)
    values = values[values > 0]
    return float(values.std() / values.mean()) if len(values) else 0.0


def what_values(evidence: Evidence, declared: str, marked: bool, path: object) -> str:
    """``counts``, ``normalised`` (logarithms are still to be taken) or ``log_normalised``.

    `declared` is the key `values`, `marked` whether the file says that scanpy has taken logarithms (``uns/log1p``).

    Raises
    ------
    InputError
        If the values are not what is declared, or, for ``auto``, neither counts nor logarithms of normalised counts.
    """
    if evidence.whole and declared in ("auto", "counts", "estimated_counts"):
        return "counts"
    if evidence.whole:
        raise InputError(
            f"{path}: X holds whole numbers only, which {declared.replace('_', '-')} values never are; set values to "
            "counts"
        )
    if declared == "counts":
        raise InputError(
            f"{path}: X holds fractions, so these are not raw counts; give raw counts, or set the screen's key values: "
            "estimated_counts for counts of a tool that estimates them (alevin, ambient RNA taken off), normalised, or "
            "log_normalised"
        )
    if declared in DECLARED:
        _check_not_logged(evidence, declared, path)
        return DECLARED[declared]
    _check_logarithms(evidence, declared == "log_normalised", marked, path)
    return "log_normalised"


def _check_not_logged(evidence: Evidence, declared: str, path: object) -> None:
    if evidence.largest <= LARGEST_LOGARITHM and spread(evidence.raised) <= SPREAD:
        raise InputError(f"{path}: X holds logarithms already, for sums of expm1 are equal; set values: log_normalised")
    if declared == "estimated_counts" and spread(evidence.sums) <= SPREAD:
        raise InputError(f"{path}: the sums of all cells are equal, so X is normalised; set values: normalised")


def _check_logarithms(evidence: Evidence, declared: bool, marked: bool, path: object) -> None:
    """Raise `InputError` for fractions that are no logarithms of counts divided by the totals of their cells."""
    if evidence.largest > LARGEST_LOGARITHM:
        equal = spread(evidence.sums) <= SPREAD
        what = "normalised counts of which no logarithm was taken" if equal else "estimated or normalised counts"
        key = "normalised" if equal else "estimated_counts or normalised"
        raise InputError(
            f"{path}: X holds fractions up to {evidence.largest:,.0f}, and no logarithm of counts is above "
            f"{LARGEST_LOGARITHM:.0f}: these are {what}. Give raw counts, or set the screen's key values: {key}, and "
            "the logarithm is taken here"
        )
    if declared or spread(evidence.raised) <= SPREAD:
        return
    if spread(evidence.raised_to_two) <= SPREAD:
        raise InputError(f"{path}: X holds logarithms to base 2; write it anew with `adata.X = adata.X * numpy.log(2)`")
    if evidence.whole_once_raised:
        raise InputError(
            f"{path}: X holds logarithms of counts that were not divided by the totals of their cells; give the raw "
            "counts, `adata.X = numpy.expm1(adata.X).round()`"
        )
    if not marked:
        raise InputError(
            f"{path}: X holds fractions whose sums of expm1 differ between cells by {spread(evidence.raised):.0%}, as "
            "those of logarithms of normalised counts do not: give raw counts, or set the screen's key values: "
            "log_normalised where X is a choice of the genes that were normalised, or estimated_counts"
        )
