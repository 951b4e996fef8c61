"""A user's own study: a table of counts and a table of labels, brought onto the genes of the annotation."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scarceseq.archive.count_values import check_samples_are_no_lengths, whole_counts
from scarceseq.archive.counts import SAMPLE_COLUMNS
from scarceseq.archive.download import DamagedError
from scarceseq.archive.gene_ids import map_gene_ids, translated
from scarceseq.archive.label_checks import LABEL_KINDS, label_notes
from scarceseq.archive.settings import UserStudySettings
from scarceseq.archive.tables import read_annotation
from scarceseq.archive.user_tables import CountsTable, is_h5ad, read_counts, read_labels
from scarceseq.errors import InputError
from scarceseq.joins import Join, check_join, match_names

log = logging.getLogger(__name__)


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
    joins : list of Join
        Samples of the labels with columns of the counts, genes with the annotation.
    notes : pandas.DataFrame
        kind, text: what is to be said of the tables, the worst first.
    labels : pandas.DataFrame or None
        The whole table of labels, by sample as it is called there.
    table : pandas.DataFrame or None
        Counts of all rows of the user's table, by gene as it is called there, a column for each sample.
    """

    counts: np.ndarray
    samples: pd.DataFrame
    genes: pd.DataFrame
    attributes: pd.DataFrame
    unmapped: pd.DataFrame
    joins: list[Join]
    notes: pd.DataFrame
    labels: pd.DataFrame | None = None
    table: pd.DataFrame | None = None


def notes_among(study: UserStudy, samples: pd.Index, label: str) -> pd.DataFrame:
    """Notes (kind, text) of a study when only some of its samples are compared, by one column of its labels.

    A batch may be confounded among them alone.
    """
    if study.labels is None:
        return study.notes
    names = study.samples.loc[samples, "runs"]
    notes = label_notes(study.labels.loc[names], [label])
    for _, text in notes:
        log.warning("%s", text)
    others = study.notes[~study.notes["kind"].isin(LABEL_KINDS)]
    return pd.concat([pd.DataFrame(notes, columns=["kind", "text"]), others], ignore_index=True)


def study_annotation(settings: UserStudySettings, path: str | Path) -> pd.DataFrame:
    """Genes of the study's organism, from `scarceseq.archive.tables.read_annotation`, whose errors name the study."""
    try:
        return read_annotation(path)
    except DamagedError as error:
        raise InputError(
            f"user study {settings.name}: annotation {path}: {error}. Give recount3's GTF of {settings.organism}, "
            "such as archive/annotation.gtf.gz of a run of that organism"
        ) from error


def import_study(settings: UserStudySettings, annotation: pd.DataFrame) -> UserStudy:
    """Read, check and map a user's study; the annotation is from `study_annotation`, a `bp_length` of 0 is unknown.

    Raises
    ------
    InputError
        If the values are not counts, samples or columns are not found, or too few genes are measured.
    """
    try:
        return _import(settings, annotation)
    except InputError as error:
        raise InputError(f"user study {settings.name}: {error}") from error


def _import(settings: UserStudySettings, annotation: pd.DataFrame) -> UserStudy:
    labels = _labels(settings)
    samples_there = () if labels is None else labels.index
    table = read_counts(settings.counts, samples_there, settings.duplicate_samples == "sum")
    joins = [] if labels is None else [_sample_join(settings, labels, table.columns)]
    names = list(dict.fromkeys(table.columns)) if labels is None else list(labels.index)
    values = table.numbers(names)
    counts = whole_counts(values, settings.quantity, settings.counts)
    mapped, unmapped, join = _genes(settings, table, annotation)
    measured = annotation["gene_id"].isin(mapped["gene_id"]).to_numpy()
    _check_coverage(settings, annotation, measured, unmapped)
    joins.append(check_join(join, settings.minimum_matched_share))
    rows = mapped["row"].to_numpy()
    position = pd.Index(annotation["gene_id"]).get_indexer(mapped["gene_id"])
    lengths = annotation["bp_length"].to_numpy()[position]
    check_samples_are_no_lengths(values.iloc[rows], lengths, settings.counts)

    matrix = np.zeros((len(names), len(annotation)), dtype=np.int64)
    matrix[:, position] = counts[rows].T
    genes = annotation.set_index("gene_id").assign(measured=measured)
    log.info(
        "%s: %d samples, %d genes measured, %d rows not used", settings.name, len(names), measured.sum(), len(unmapped)
    )
    notes = _notes(settings, labels, values, table)
    attributes = _attributes(settings, labels)
    samples = _samples(settings, names)
    whole = pd.DataFrame(counts, index=values.index, columns=samples.index)
    return UserStudy(matrix, samples, genes, attributes, unmapped, joins, notes, labels, whole)


def _samples(settings: UserStudySettings, names: list[str]) -> pd.DataFrame:
    samples = pd.DataFrame({"runs": names}, index=[f"{settings.name}.{name}" for name in names])
    samples = samples.assign(study=settings.name, organism=settings.organism, source="user", unit="read_counts")
    return samples.assign(auc=np.nan, mapped_reads=np.nan, average_mapped_length=np.nan)[SAMPLE_COLUMNS]


def _labels(settings: UserStudySettings) -> pd.DataFrame | None:
    """The table of labels by sample, or None if there is none."""
    if settings.labels is None and not (settings.label_columns and is_h5ad(settings.counts)):
        if settings.label_columns:
            raise InputError("key label_columns needs the key labels")
        return None
    table = read_labels(settings.labels, settings.counts, settings.sample_column)
    source = settings.labels or settings.counts
    for column in settings.label_columns:
        if column not in table.columns:
            raise InputError(f"{source} has no column '{column}'; it has {', '.join(table.columns)}")
    _check_names(settings)
    return table


def _check_names(settings: UserStudySettings) -> None:
    """Refuse names of attributes that two columns would have, or of a column that is no label."""
    for column in settings.attribute_names:
        if column not in settings.label_columns:
            raise InputError(f"key attribute_names names the column '{column}', which label_columns lacks; add it")
    names = [settings.attribute_names.get(column, column) for column in settings.label_columns]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"key attribute_names: two columns would be the attribute '{name}'; give one another name")


def _sample_join(settings: UserStudySettings, labels: pd.DataFrame, columns: list[str]) -> Join:
    """Samples of the labels and columns of the counts; refuses samples without a column, or with two rows."""
    source = settings.labels or settings.counts
    join = match_names(labels.index, columns, "samples of the labels to columns of the counts", source, any_case=False)
    where = f"{source}, column {settings.sample_column}"
    if join.unmatched:
        near = f"; nearly the same: {', '.join(join.near()[:5])}" if join.near() else ""
        raise InputError(
            f"{where}: samples without a column in {settings.counts}: {', '.join(join.unmatched[:5])}; its columns are "
            f"{', '.join(map(str, columns[:5]))}, ... (genes x samples is wanted){near}"
        )
    twice = labels.index[labels.index.duplicated()]
    if len(twice):
        raise InputError(f"{where}: samples twice, such as {twice[0]}")
    ignored = [name for name in columns if name not in labels.index]
    if ignored:
        log.warning("%s: columns of %s without labels are left out: %s", settings.name, settings.counts, ignored)
    return join


def _genes(
    settings: UserStudySettings, table: CountsTable, annotation: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, Join]:
    """What `map_gene_ids` gives, and the join of the names."""
    rows, kind = table.genes, settings.gene_id_type
    if kind in ("entrez", "refseq"):
        if settings.gene_id_table is None:
            raise InputError(f"gene_id_type {kind} needs the key gene_id_table, which says the Ensembl id of each")
        columns = settings.gene_id_column, settings.ensembl_column
        rows, kind = translated(rows, settings.gene_id_table, *columns), "ensembl"
    mapped, unmapped = map_gene_ids(rows, kind, annotation)
    unmapped = unmapped.assign(gene_id=[table.genes[row] for row in unmapped.pop("row")])
    given = pd.Series(table.genes, dtype=object)
    wanted = given[(given != "") & ~given.str.startswith(("__", "N_"))]
    names = annotation["gene_name" if kind == "symbol" else "gene_id"]
    called = dict(zip(annotation["gene_id"], names, strict=True))
    pairs = {table.genes[row]: called[gene] for row, gene in zip(mapped["row"], mapped["gene_id"], strict=True)}
    cased = sum(name != other for name, other in pairs.items()) if kind == "symbol" else 0
    what = f"genes of the counts to those of the annotation (gene_id_type {settings.gene_id_type})"
    return mapped, unmapped, Join(what, settings.counts, pairs, list(wanted.unique()), list(names.unique()), cased)


def _check_coverage(
    settings: UserStudySettings, annotation: pd.DataFrame, measured: np.ndarray, unmapped: pd.DataFrame
) -> None:
    coding = (annotation["gene_type"] == "protein_coding").to_numpy()
    share = measured[coding].mean() if coding.any() else measured.mean()
    if share < settings.min_protein_coding_share:
        raise InputError(
            f"{settings.counts} covers a share of {share:.2f} of the protein-coding genes, "
            f"under min_protein_coding_share {settings.min_protein_coding_share} ({len(unmapped)} rows could not be "
            f"mapped as {settings.gene_id_type}{examples(unmapped)}). A table from which genes were filtered cannot be "
            "normalised with the others: give the unfiltered counts, and check gene_id_type"
        )


def examples(unmapped: pd.DataFrame) -> str:
    """ ", such as ...": ids of the first rows of a table that are no gene that is known."""
    first = unmapped.loc[unmapped["reason"] == "not_in_annotation", "gene_id"].head(3)
    return f", such as {', '.join(first.astype(str))}" if len(first) else ""


def _notes(
    settings: UserStudySettings, labels: pd.DataFrame | None, values: pd.DataFrame, table: CountsTable
) -> pd.DataFrame:
    """See `UserStudy.notes`."""
    notes = label_notes(labels, settings.label_columns) if labels is not None else []
    if settings.quantity == "estimated":
        cells = int((values.to_numpy() != np.rint(values.to_numpy())).sum())
        notes.append(("estimated", f"{settings.counts} holds estimated counts; {cells} of them were rounded"))
    several = [name for name in values.columns if table.columns.count(name) > 1]
    if several:
        notes.append(("summed", f"columns of one name were added up: {', '.join(several)}"))
    for _, text in notes:
        log.warning("%s: %s", settings.name, text)
    return pd.DataFrame(notes, columns=["kind", "text"])


def _attributes(settings: UserStudySettings, labels: pd.DataFrame | None) -> pd.DataFrame:
    if labels is None:
        return pd.DataFrame({"sample": [], "key": [], "value": []}, dtype=str)
    attributes = labels[settings.label_columns].rename(columns=settings.attribute_names)
    long = attributes.rename_axis("sample").reset_index().melt("sample", var_name="key").dropna()
    long["sample"] = settings.name + "." + long["sample"]
    return long.sort_values(["sample", "key"], ignore_index=True).astype(str)
