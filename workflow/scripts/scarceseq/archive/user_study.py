"""A user's own study: a table of counts and a table of labels, brought onto the genes of the annotation."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scarceseq.archive.counts import SAMPLE_COLUMNS
from scarceseq.archive.download import DamagedError
from scarceseq.archive.gene_ids import map_gene_ids
from scarceseq.archive.settings import UserStudySettings
from scarceseq.archive.tables import read_annotation
from scarceseq.archive.user_tables import is_h5ad, read_counts, read_labels
from scarceseq.errors import InputError

log = logging.getLogger(__name__)

ESTIMATED = (
    "give read counts, not RPKM, TPM, means or normalised values; estimated counts, as salmon, kallisto and RSEM give "
    "them, are to be rounded to whole numbers"
)


@dataclass(frozen=True)
class UserStudy:
    """A study on the genes of the annotation.

    Attributes
    ----------
    counts : numpy.ndarray
        int64, (samples, genes of the annotation); 0 where not measured.
    samples, genes : pandas.DataFrame
        In the form of `scarceseq.archive.counts`.
    attributes : pandas.DataFrame
        sample, key, value.
    unmapped : pandas.DataFrame
        gene_id, reason: rows of the user's table that are not used.
    """

    counts: np.ndarray
    samples: pd.DataFrame
    genes: pd.DataFrame
    attributes: pd.DataFrame
    unmapped: pd.DataFrame


def study_annotation(settings: UserStudySettings, path: str | Path) -> pd.DataFrame:
    """Genes of the study's organism, from `scarceseq.archive.tables.read_annotation`, whose errors name the study."""
    try:
        return read_annotation(path)
    except DamagedError as error:
        raise InputError(
            f"user study {settings.name}: annotation {path}: {error}. Give recount3's GTF of {settings.organism}, "
            "such as archive/annotation.gtf.gz of a run of that organism"
        ) from error


def import_study(settings: UserStudySettings, annotation: pd.DataFrame) -> "UserStudy":
    """Read, check and map a user's study.

    Parameters
    ----------
    settings : UserStudySettings
    annotation : pandas.DataFrame
        From `study_annotation`.

    Returns
    -------
    UserStudy

    Raises
    ------
    InputError
        If the values are not counts, samples or columns are not found, or too few genes are measured.
    """
    labels = _read_labels(settings)
    table = read_counts(settings.counts, settings.name, () if labels is None else labels.index)
    if labels is not None:
        _check_samples(settings, labels, table.columns)
    names = table.columns if labels is None else list(labels.index)
    counts = _whole_numbers(_numbers(table, names, settings), settings)
    mapped, unmapped = map_gene_ids(table.genes, settings.gene_id_type, annotation)
    measured = annotation["gene_id"].isin(mapped["gene_id"]).to_numpy()
    _check_coverage(settings, annotation, measured, unmapped)

    matrix = np.zeros((len(names), len(annotation)), dtype=np.int64)
    position = pd.Index(annotation["gene_id"]).get_indexer(mapped["gene_id"])
    matrix[:, position] = counts[mapped["row"].to_numpy()].T
    samples = pd.DataFrame({"runs": names}, index=[f"{settings.name}.{name}" for name in names])
    samples = samples.assign(study=settings.name, organism=settings.organism, source="user", unit="read_counts")
    samples = samples.assign(auc=np.nan, mapped_reads=np.nan, average_mapped_length=np.nan)[SAMPLE_COLUMNS]
    genes = annotation.set_index("gene_id").assign(measured=measured)
    log.info(
        "%s: %d samples, %d genes measured, %d rows not used", settings.name, len(names), measured.sum(), len(unmapped)
    )
    return UserStudy(matrix, samples, genes, _attributes(settings, labels), unmapped)


def _read_labels(settings):
    """Label columns by sample, or None without a table of labels."""
    if settings.labels is None and not (settings.label_columns and is_h5ad(settings.counts)):
        if settings.label_columns:
            raise InputError(f"user study {settings.name}: key label_columns needs the key labels")
        return None
    table = read_labels(settings.labels, settings.counts, settings.name, settings.sample_column)
    source = settings.labels or settings.counts
    for column in settings.label_columns:
        if column not in table.columns:
            raise InputError(
                f"user study {settings.name}: {source} has no column '{column}'; it has {', '.join(table.columns)}"
            )
    return table[settings.label_columns]


def _check_samples(settings, table, columns):
    """Refuse labels of samples that the counts do not have, or that have two rows."""
    source = settings.labels or settings.counts
    unknown = [str(name) for name in table.index if name not in columns]
    if unknown or table.index.duplicated().any():
        problem = (
            f"samples without a column in {settings.counts}: {', '.join(unknown[:5])}; its columns are "
            f"{', '.join(map(str, columns[:5]))}, ... (genes x samples is wanted)"
            if unknown
            else "samples twice"
        )
        raise InputError(f"user study {settings.name}: {source}, column {settings.sample_column}: {problem}")
    ignored = [name for name in columns if name not in table.index]
    if ignored:
        log.warning("%s: columns of %s without labels are left out: %s", settings.name, settings.counts, ignored)


def _numbers(table, names, settings):
    """Columns of samples as numbers."""
    try:
        return table.numbers(names)
    except InputError as error:
        raise InputError(f"user study {settings.name}: {error}") from error


def _whole_numbers(table, settings):
    """int64 (genes, samples); raises InputError for anything that is not a count."""
    values = table.to_numpy()
    refused = (
        ("blank or NaN cells", ~np.isfinite(values), "give a count for every cell, 0 included"),
        ("negative values", values < 0, "give read counts, neither differences nor logarithms"),
        ("fractions", values != np.rint(values), ESTIMATED),
        ("values beyond 2**53", values > 2**53, "check the table"),
    )
    for what, where, advice in refused:
        if where.any():
            row, column = np.argwhere(where)[0]
            cell = f"gene {table.index[row]}, sample {table.columns[column]}: {values[row, column]}"
            raise InputError(
                f"user study {settings.name}: {settings.counts} has {what} ({where.sum()}; the first at {cell}); "
                + advice
            )
    empty = np.flatnonzero(values.sum(axis=0) == 0)
    if len(empty):
        names = ", ".join(table.columns[empty])
        raise InputError(
            f"user study {settings.name}: {settings.counts}: sample {names} is all zero; leave it out of the labels"
        )
    return values.astype(np.int64)


def _check_coverage(settings, annotation, measured, unmapped):
    coding = (annotation["gene_type"] == "protein_coding").to_numpy()
    share = measured[coding].mean() if coding.any() else measured.mean()
    if share < settings.min_protein_coding_share:
        raise InputError(
            f"user study {settings.name}: {settings.counts} covers a share of {share:.2f} of the protein-coding genes, "
            f"under min_protein_coding_share {settings.min_protein_coding_share} ({len(unmapped)} rows could not be "
            f"mapped as {settings.gene_id_type}{examples(unmapped)}). A table from which genes were filtered cannot be "
            "normalised with the others: give the unfiltered counts, and check gene_id_type"
        )


def examples(unmapped: pd.DataFrame) -> str:
    """ ", such as ...": ids of the first rows of a table that are no gene that is known."""
    first = unmapped.loc[unmapped["reason"] == "not_in_annotation", "gene_id"].head(3)
    return f", such as {', '.join(first.astype(str))}" if len(first) else ""


def _attributes(settings, labels):
    if labels is None:
        return pd.DataFrame({"sample": [], "key": [], "value": []}, dtype=str)
    long = labels.rename_axis("sample").reset_index().melt("sample", var_name="key").dropna()
    long["sample"] = settings.name + "." + long["sample"]
    return long.sort_values(["sample", "key"], ignore_index=True).astype(str)
