"""What the metadata tables say of a study's runs and samples."""

import pandas as pd

from scarceseq.archive.tables import parse_attributes, read_metadata
from scarceseq.corpus.filters import TYPE_COLUMNS

QC_COLUMNS = {
    "auc": "bc_auc.all_reads_all_bases",
    "mapped_reads": "star.all_mapped_reads",
    "average_mapped_length": "star.average_mapped_length",
}
SOURCE_COLUMNS = ("experiment_acc", "library_selection", "sample_attributes")


def run_table(planned_runs, counted_runs, paths):
    """One row per planned run, all that filters and sums need; what a table lacks is missing.

    Parameters
    ----------
    planned_runs, counted_runs : set of str
        Runs that the archive lists; runs with a column of gene sums.
    paths : dict of {str: path}
        Good tables by kind: source and recount_qc, and recount_pred if there is one.

    Returns
    -------
    pandas.DataFrame
        Index: run, sorted. Columns: has_counts, has_metadata, has_qc, experiment (the run itself if the source
        knows no experiments), library_selection, attributes (unparsed text), the keys of `QC_COLUMNS` (float), and
        `TYPE_COLUMNS`.
    """
    runs = pd.Index(sorted(planned_runs), name="run")
    source = _by_run(paths["source"], SOURCE_COLUMNS)
    quality = _by_run(paths["recount_qc"], QC_COLUMNS.values())
    predicted = _by_run(paths["recount_pred"], TYPE_COLUMNS) if "recount_pred" in paths else None

    table = pd.DataFrame(index=runs)
    table["has_counts"] = runs.isin(counted_runs)
    table["has_metadata"] = runs.isin(source.index)
    table["has_qc"] = runs.isin(quality.index)
    table["experiment"] = _column(source, "experiment_acc", runs).fillna(runs.to_series())
    table["library_selection"] = _column(source, "library_selection", runs)
    table["attributes"] = _column(source, "sample_attributes", runs)
    for name, column in QC_COLUMNS.items():
        table[name] = pd.to_numeric(_column(quality, column, runs), errors="coerce").astype(float)
    for column in TYPE_COLUMNS:
        table[column] = _column(predicted, column, runs)
    return table


def _by_run(path, columns):
    return read_metadata(path, ("external_id", *columns)).set_index("external_id")


def _column(table, name, runs):
    if table is None or name not in table.columns:
        return pd.Series(None, index=runs, dtype=object)
    return table[name].reindex(runs)


def attribute_table(runs):
    """Attributes of samples in long form.

    Parameters
    ----------
    runs : pandas.DataFrame
        From `run_table`: columns experiment, attributes.

    Returns
    -------
    pandas.DataFrame
        sample, key, value; values on which a sample's runs disagree are joined by ``|``.
    """
    found = {}
    for run in runs.itertuples():
        for key, value in parse_attributes(run.attributes):
            found.setdefault((run.experiment, key), {})[value] = None
    rows = [(sample, key, "|".join(values)) for (sample, key), values in sorted(found.items())]
    return pd.DataFrame(rows, columns=["sample", "key", "value"], dtype=str)
