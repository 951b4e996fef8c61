"""Whether learning curves of small studies foretold what larger ones reached."""

from pathlib import Path

import pandas as pd

from scarceseq.files import read_table

EVIDENCE = Path(__file__).with_name("curve_evidence.tsv")
LEAST_COVERAGE, LEAST_STUDIES = 0.85, 3
"""Coverage of the 90% intervals, and studies that it was measured on, below which nothing is foretold."""


def read_curve_evidence() -> pd.DataFrame:
    """One row per real study, written by `benchmarks/tools/learning_curve_coverage.py`.

    Columns: study, labels (columns that were predicted), cases (small studies and sizes), covered (share of the cases
    whose 90% interval held the mean accuracy that the large study reached), width (mean, of the intervals).
    """
    return read_table(EVIDENCE)


def is_trusted(evidence: pd.DataFrame) -> bool:
    """Whether the intervals held what they promise, in the mean over studies."""
    return len(evidence) >= LEAST_STUDIES and bool(evidence["covered"].mean() >= LEAST_COVERAGE)
