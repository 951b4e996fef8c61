"""What the metadata tables say of a study's runs and samples."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from scarceseq.archive.filters import TYPE_COLUMNS
from scarceseq.archive.layout import METADATA_KINDS
from scarceseq.archive.tables import parse_attributes, read_text_table

QC_COLUMNS = {
    "auc": "bc_auc.all_reads_all_bases",
    "mapped_reads": "star.all_mapped_reads",
    "average_mapped_length": "star.average_mapped_length",
}


def read_tables(paths: Mapping[str, str | Path]) -> dict[str, pa.Table]:
    """Metadata tables of a study as `pyarrow.Table`, by kind; `paths` are the good ones', by kind."""
    return {kind: read_text_table(paths[kind])[1] for kind in METADATA_KINDS if kind in paths}


def run_table(planned_runs: set[str], counted_runs: set[str], tables: Mapping[str, pa.Table]) -> pd.DataFrame:
    """One row per planned run, all that filters and sums need; what a table lacks is missing.

    Parameters
    ----------
    planned_runs, counted_runs : set of str
        Runs that the archive lists; runs with a column of gene sums.
    tables : dict of {str: pyarrow.Table}
        From `read_tables`: source and recount_qc, and recount_pred if there is one.

    Returns
    -------
    pandas.DataFrame
        Index: run, sorted. Columns: has_counts, has_metadata, has_qc, experiment (the run itself if the source
        knows no experiments), library_selection, attributes (unparsed text), the keys of `QC_COLUMNS` (float), and
        `TYPE_COLUMNS`.
    """
    runs = sorted(planned_runs)
    source, quality, predicted = (_Lookup(tables.get(kind), runs) for kind in ("source", "recount_qc", "recount_pred"))
    experiments = source.texts("experiment_acc")
    table = {
        "has_counts": [run in counted_runs for run in runs],
        "has_metadata": source.listed,
        "has_qc": quality.listed,
        "experiment": [experiment or run for experiment, run in zip(experiments, runs, strict=True)],
        "library_selection": source.texts("library_selection"),
        "attributes": source.texts("sample_attributes"),
        **{name: _numbers(quality.texts(column)) for name, column in QC_COLUMNS.items()},
        **{column: predicted.texts(column) for column in TYPE_COLUMNS},
    }
    return pd.DataFrame(table, index=pd.Index(runs, name="run", dtype=object))


class _Lookup:
    """Columns of a table, or of none, in the order of some runs; `listed` tells which of these it has."""

    def __init__(self, table: pa.Table | None, runs: Sequence[str]) -> None:
        self.table = table
        names = table["external_id"].to_pylist() if table else []
        place = {run: index for index, run in enumerate(names)}
        self._rows = [place.get(run) for run in runs]
        self.listed = np.array([row is not None for row in self._rows], dtype=bool)

    def texts(self, column: str) -> np.ndarray:
        if self.table is None or column not in self.table.column_names:
            return np.full(len(self._rows), None, dtype=object)
        values = self.table[column].to_pylist()
        return np.array([None if row is None else values[row] for row in self._rows], dtype=object)


def _numbers(texts: np.ndarray) -> np.ndarray:
    """Floats; what is no number is missing."""
    values = np.full(len(texts), np.nan)
    for index, text in enumerate(texts):
        try:
            values[index] = float(str(text))
        except (TypeError, ValueError):
            continue
    return values


def attribute_rows(runs: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Sample, key and value of each attribute of runs of `run_table`; values on which a sample's runs disagree are
    joined by ``|``."""
    values_of = {}
    for experiment, attributes in zip(runs["experiment"], runs["attributes"], strict=True):
        for key, value in parse_attributes(attributes):
            values_of.setdefault((experiment, key), {})[value] = None
    return [(sample, key, "|".join(values)) for (sample, key), values in sorted(values_of.items())]
