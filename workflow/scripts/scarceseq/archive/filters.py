"""Which runs are kept. Each run that is not has one line that says why: the first reason that holds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scarceseq.archive.settings import MetadataFilter

DROPPED_COLUMNS = ["study", "run", "reason", "value"]
TYPE_COLUMNS = ("pred.type", "pattern.predict.type", "curated.type")


def metadata_reasons(runs: pd.DataFrame, settings: MetadataFilter) -> list[tuple[str, str, str | None]]:
    """Run, reason and value of each run that its metadata rule out.

    Parameters
    ----------
    runs : pandas.DataFrame
        Index: run. Columns: has_counts, has_metadata, has_qc (bool), auc, mapped_reads (NaN if unknown),
        library_selection (text or missing) and `TYPE_COLUMNS` (text or missing).
    """
    kept = {kind.lower() for kind in settings.kept_types}
    excluded = {text.lower() for text in settings.excluded_library_selections}
    types = {name: _lower(runs[name]) for name in TYPE_COLUMNS}
    selections = _lower(runs["library_selection"])
    rules = [
        ("no_counts", ~runs["has_counts"], None),
        ("no_metadata", ~runs["has_metadata"], None),
        ("no_qc", ~runs["has_qc"], None),
        *((f"type:{name}", [text and text not in kept for text in types[name]], types[name]) for name in TYPE_COLUMNS),
        ("no_coverage", ~(runs["auc"] > 0), runs["auc"]),
        ("few_mapped_reads", ~(runs["mapped_reads"] >= settings.min_mapped_reads), runs["mapped_reads"]),
        ("library_selection", [text in excluded for text in selections], runs["library_selection"]),
    ]
    return first_reasons(runs.index, rules)


def _lower(texts: Sequence[str | None]) -> list[str | None]:
    """Texts in lower case; None for what is missing."""
    return [text.lower() if isinstance(text, str) else None for text in texts]


def first_reasons(
    runs: Sequence[str] | pd.Index, rules: Sequence[tuple[str, ArrayLike, ArrayLike | None]]
) -> list[tuple[str, str, str | None]]:
    """Run, reason and value (text, or None) for each run to which a rule applies, by the first that does.

    A rule is a reason, where it holds, bool, (runs,), and the values to report, (runs,), or None.
    """
    rows, reported = [], np.zeros(len(runs), dtype=bool)
    for reason, holds, values in rules:
        holds = np.asarray(holds, dtype=bool)
        values = None if values is None else np.asarray(values, dtype=object)
        for index in np.flatnonzero(holds & ~reported):
            value = None if values is None or pd.isna(values[index]) else str(values[index])
            rows.append((runs[index], reason, value))
        reported |= holds
    return rows
