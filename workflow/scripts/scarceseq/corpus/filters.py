"""Which runs are kept. Each run that is not has one line that says why: the first reason that holds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

TYPE_COLUMNS = ("pred.type", "pattern.predict.type", "curated.type")


@dataclass(frozen=True)
class MetadataFilter:
    """Keys of the config section ``corpus.runs`` that need nothing but metadata."""

    kept_types: list[str]
    min_mapped_reads: int
    excluded_library_selections: list[str]


@dataclass(frozen=True)
class RunFilter(MetadataFilter):
    """Config section ``corpus.runs``; its keys are described in the schema."""

    max_zero_fraction: float
    zero_fraction_gene_types: list[str]
    max_runs_per_study: int


def metadata_reasons(runs, settings):
    """Reason and value for each run that its metadata rule out.

    Parameters
    ----------
    runs : pandas.DataFrame
        Index: run. Columns: has_counts, has_metadata, has_qc (bool), auc, mapped_reads (NaN if unknown),
        library_selection (text or missing) and `TYPE_COLUMNS` (text or missing).
    settings : MetadataFilter

    Returns
    -------
    pandas.DataFrame
        run, reason, value.
    """
    types = runs[list(TYPE_COLUMNS)].apply(lambda column: column.str.lower())
    other_type = types.notna() & ~types.isin([kind.lower() for kind in settings.kept_types])
    excluded = [text.lower() for text in settings.excluded_library_selections]
    rules = [
        ("no_counts", ~runs["has_counts"], None),
        ("no_metadata", ~runs["has_metadata"], None),
        ("no_qc", ~runs["has_qc"], None),
        *((f"type:{column}", other_type[column], types[column]) for column in TYPE_COLUMNS),
        ("no_coverage", ~(runs["auc"] > 0), runs["auc"]),
        ("few_mapped_reads", ~(runs["mapped_reads"] >= settings.min_mapped_reads), runs["mapped_reads"]),
        ("library_selection", runs["library_selection"].str.lower().isin(excluded), runs["library_selection"]),
    ]
    return first_reasons(runs.index, rules)


def count_reasons(runs, totals, zero_fractions, settings):
    """Reason and value for each run that its counts rule out.

    Parameters
    ----------
    runs : list of str
    totals : array (runs,)
        Sum over all genes.
    zero_fractions : array (runs,)
        Share of zeros among genes of the types ``zero_fraction_gene_types``.
    """
    index = pd.Index(runs)
    zeros = pd.Series(zero_fractions, index=index)
    rules = [
        ("all_zero", pd.Series(np.asarray(totals) == 0, index=index), None),
        ("zero_fraction", zeros > settings.max_zero_fraction, zeros.round(4)),
    ]
    return first_reasons(index, rules)


def first_reasons(runs, rules):
    """One line for each run to which a rule applies, for the first that does.

    Parameters
    ----------
    runs : pandas.Index
    rules : list of (str, pandas.Series of bool, pandas.Series or None)
        Reason, where it holds, value to report.

    Returns
    -------
    pandas.DataFrame
        run, reason, value (text, missing if there is none).
    """
    rows, told = [], set()
    for reason, holds, values in rules:
        for run in runs[holds.fillna(False).to_numpy(dtype=bool)]:
            if run not in told:
                told.add(run)
                value = None if values is None or pd.isna(values[run]) else str(values[run])
                rows.append((run, reason, value))
    return pd.DataFrame(rows, columns=["run", "reason", "value"], dtype=object)
