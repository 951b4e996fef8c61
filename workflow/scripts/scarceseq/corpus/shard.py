"""One batch of the archive, filtered and summed into samples."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from scarceseq.archive.counts import SAMPLE_COLUMNS, append_counts
from scarceseq.archive.filters import DROPPED_COLUMNS, first_reasons, metadata_reasons
from scarceseq.archive.layout import Study
from scarceseq.archive.manifest import Entry, by_study, checked_path, why_skipped, why_unusable
from scarceseq.archive.metadata import attribute_rows, read_tables, run_table
from scarceseq.archive.plan import planned_rows
from scarceseq.corpus.all_metadata import listed_table, metadata_table
from scarceseq.corpus.run_sums import RunSums
from scarceseq.corpus.settings import RunFilter
from scarceseq.progress import follow
from scarceseq.seeds import derive

log = logging.getLogger(__name__)

LENGTH_COLUMNS = ("mapped_reads", "average_mapped_length")


@dataclass(frozen=True)
class StudyShard:
    """What one study gives."""

    # int64, (some samples, genes of the annotation), together in the order of `samples`: coverage sums over all runs of
    # each sample. Read as it is asked for.
    counts: object
    samples: pd.DataFrame  # in the form of `scarceseq.archive.counts`
    dropped: list  # run, reason, value; sorted
    attributes: list  # sample, key, value
    metadata: object  # from `metadata_table`, of all planned runs


@dataclass(frozen=True)
class Shard:
    """Tables of a batch whose counts are in a file."""

    dropped: pd.DataFrame  # study, run, reason, value
    attributes: pd.DataFrame  # sample, key, value; a sample of two studies is there once
    metadata: list  # every column of each study's metadata, dropped runs included


def build_shard(
    plan: pd.DataFrame,
    entries: Iterable[Entry],
    folder: str | Path,
    annotation: pd.DataFrame,
    settings: RunFilter,
    dropped_genes: list[str],
    seed: int,
    counts_path: str | Path,
) -> Shard:
    """Read a batch's verified files, keep the good runs, sum the runs of each experiment, write their counts.

    One study is in memory at a time, and of a large one only pieces. `plan` has the batch's runs, `entries` are its
    manifest, `folder` has its files; `annotation` is from `scarceseq.archive.tables.read_annotation`; `dropped_genes`
    are versioned ids of genes whose sums are wrong; `seed` decides which samples of a very large study are kept. The
    counts go to `counts_path`, in the form of `scarceseq.archive.counts`.
    """
    kept = ~annotation["gene_id"].isin(dropped_genes).to_numpy()
    genes = annotation[kept].set_index("gene_id").assign(measured=True)
    checked = annotation["gene_type"].isin(settings.zero_fraction_gene_types).to_numpy()
    files = by_study(entries)
    samples, dropped, attributes, metadata = [_sample_table(None, pd.DataFrame(), [])], [], [], []
    with append_counts(genes, counts_path) as target:
        for study, rows in follow(planned_rows(plan), "studies"):
            built = _study_shard(study, rows, files[study], folder, checked, settings, seed)
            for counts in built.counts:
                target.append(counts if kept.all() else np.compress(kept, counts, axis=1))
            samples.append(built.samples)
            dropped += [(study.project, *line) for line in built.dropped]
            attributes += built.attributes
            metadata.append(built.metadata)
            counted = (study.project, len(built.samples), len(built.dropped), len(rows))
            log.info("%s: %d samples, %d of %d runs dropped", *counted)
        target.samples = pd.concat([table for table in samples if len(table)] or samples)
    return Shard(
        pd.DataFrame(dropped, columns=DROPPED_COLUMNS, dtype=object),
        pd.DataFrame(attributes, columns=["sample", "key", "value"], dtype=str).drop_duplicates(["sample", "key"]),
        metadata,
    )


def _study_shard(
    study: Study,
    rows: pd.DataFrame,
    files: dict[str, Entry],
    folder: str | Path,
    checked: np.ndarray,
    settings: RunFilter,
    seed: int,
) -> Any:
    """The study's samples if it can be used; else each run with the reason, and no samples. `rows` are of the plan."""
    paths = {kind: checked_path(folder, entry) for kind, entry in files.items() if entry.status == "ok"}
    runs, tables = set(rows["run"]), read_tables(paths) | {"recount_project": listed_table(rows)}
    if why_skipped(files):  # each run has a reason in its metadata, or the study as a whole
        lines = metadata_reasons(run_table(runs, runs, tables), settings)
        if len(lines) < len(runs):
            lines = [(run, "study_excluded", why_skipped(files)) for run in runs]
    elif why_unusable(files):
        lines = [(run, "study_unusable", why_unusable(files)) for run in runs]
    else:
        return build_study(study, runs, paths["gene_sums"], tables, checked, settings, seed)
    return StudyShard(
        [], _sample_table(study, pd.DataFrame(), []), sorted(lines), [], metadata_table(study, runs, tables)
    )


def build_study(
    study: Study,
    planned_runs: set[str],
    gene_sums: str | Path,
    tables: Mapping[str, pa.Table],
    checked: np.ndarray,
    settings: RunFilter,
    seed: int,
) -> StudyShard:
    """`StudyShard` of one study whose files are all good.

    `tables` are its metadata by kind, from `read_tables`; zeros count among the `checked` genes, bool, (genes,).
    """
    sums = RunSums(gene_sums, len(checked))
    runs = run_table(planned_runs, set(sums.header.runs), tables)
    dropped = metadata_reasons(runs, settings)
    candidates = _without(runs, dropped)

    totals, zeros = sums.statistics(list(candidates.index), checked)
    ruled_out = count_reasons(candidates.index, totals, zeros, settings)
    good = _without(candidates, ruled_out)

    over = runs_over_cap(good["experiment"], settings.max_runs_per_study, seed, study)
    dropped += ruled_out + first_reasons(good.index, [("run_cap", over, good["experiment"])])
    dropped += [(run, "not_in_archive_table", None) for run in set(sums.header.runs) - set(planned_runs)]
    good = good[~over]

    experiments = sorted(good["experiment"].unique())
    samples = _sample_table(study, good, experiments)
    counts, metadata = sums.of_samples(good["experiment"], experiments), metadata_table(study, planned_runs, tables)
    return StudyShard(counts, samples, sorted(dropped), attribute_rows(good), metadata)


def count_reasons(
    runs: list[str], totals: np.ndarray, zero_fractions: np.ndarray, settings: RunFilter
) -> list[tuple[str, str, str | None]]:
    """Reason and value for each run that its counts rule out.

    `totals`, (runs,), are over all genes; zeros are counted among genes of the types ``zero_fraction_gene_types``.
    """
    zeros = np.asarray(zero_fractions, dtype=float)
    rules = [
        ("all_zero", np.asarray(totals) == 0, None),
        ("zero_fraction", zeros > settings.max_zero_fraction, zeros.round(4)),
    ]
    return first_reasons(runs, rules)


def _without(runs: pd.DataFrame, dropped: Sequence[tuple[str, str, str | None]]) -> pd.DataFrame:
    """Rows of `run_table` that have no line among `dropped`."""
    gone = {run for run, _, _ in dropped}
    return runs[[run not in gone for run in runs.index]] if gone else runs


def runs_over_cap(experiments: pd.Series, max_runs: int, seed: int, study: Study) -> pd.Series:
    """Which runs, bool, are left out so that a study has at most `max_runs`: whole samples, drawn by the seed.

    `experiments` has the sample of each run, by run.
    """
    if len(experiments) <= max_runs:
        return pd.Series(False, index=experiments.index)
    sizes = experiments.value_counts()
    draw = {name: derive(seed, "run_cap", study.organism, study.source, study.project, name) for name in sizes.index}
    order = sorted(sizes.index, key=draw.__getitem__)
    within = sizes[order].cumsum() <= max_runs
    return ~experiments.isin(within.index[within])


def _sample_table(study: Study | None, runs: pd.DataFrame, experiments: list[str]) -> pd.DataFrame:
    """One row per sample: coverage and mapped reads summed over its runs, mapped length averaged over its reads."""
    runs = runs.sort_index()
    place = pd.Index(experiments).get_indexer(runs["experiment"]) if len(runs) else np.empty(0, dtype=int)
    names = [[] for _ in experiments]
    for sample, run in zip(place, runs.index, strict=True):
        names[sample].append(run)

    def total(weights: np.ndarray) -> np.ndarray:
        return np.bincount(place, weights, len(experiments)).astype(float)

    columns = [runs[name].to_numpy(dtype=float) if len(runs) else [] for name in ("auc", *LENGTH_COLUMNS)]
    coverage, reads, bases = total(columns[0]), total(columns[1]), total(np.multiply(columns[1], columns[2]))
    length = np.divide(bases, reads, out=np.full(len(reads), np.nan), where=reads > 0)
    identity = {"study": study.project, "organism": study.organism, "source": study.source} if study else {}
    values = {"runs": [",".join(of_sample) for of_sample in names], "auc": coverage, "mapped_reads": reads}
    table = {**identity, "unit": "base_coverage", **values, "average_mapped_length": length}
    return pd.DataFrame(table, columns=SAMPLE_COLUMNS, index=pd.Index(experiments, dtype=object, name="sample"))
