"""One batch of the archive, filtered and summed into samples."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scarceseq.archive.counts import DROPPED_COLUMNS, SAMPLE_COLUMNS
from scarceseq.archive.manifest import by_study, checked_path, why_skipped, why_unusable
from scarceseq.archive.plan import planned_studies
from scarceseq.corpus.filters import count_reasons, first_reasons, metadata_reasons
from scarceseq.corpus.metadata import attribute_table, run_table
from scarceseq.corpus.run_sums import RunSums
from scarceseq.seeds import derive

log = logging.getLogger(__name__)

LENGTH_COLUMNS = ("mapped_reads", "average_mapped_length")


@dataclass(frozen=True)
class Shard:
    """Kept samples of a batch.

    Attributes
    ----------
    counts : numpy.ndarray
        int64, (samples, genes): coverage sums over all runs of each sample.
    samples, genes : pandas.DataFrame
        In the form of `scarceseq.archive.counts`.
    dropped : pandas.DataFrame
        study, run, reason, value.
    attributes : pandas.DataFrame
        sample, key, value.
    """

    counts: np.ndarray
    samples: pd.DataFrame
    genes: pd.DataFrame
    dropped: pd.DataFrame
    attributes: pd.DataFrame


def build_shard(plan, entries, folder, annotation, settings, dropped_genes, seed):
    """Read a batch's verified files, keep the good runs, sum the runs of each experiment.

    Parameters
    ----------
    plan : pandas.DataFrame
        Runs of the batch.
    entries : list of Entry
        The batch's manifest.
    folder : path
        Of the batch's files.
    annotation : pandas.DataFrame
        From `scarceseq.archive.tables.read_annotation`.
    settings : RunFilter
    dropped_genes : list of str
        Versioned ids of genes whose sums are known to be wrong.
    seed : int
        Decides which samples of a very large study are kept.

    Returns
    -------
    Shard
    """
    kept = ~annotation["gene_id"].isin(dropped_genes).to_numpy()
    genes = annotation[kept].set_index("gene_id").assign(measured=True)
    files = by_study(entries)
    parts = []
    for study, runs in planned_studies(plan):
        reason = why_unusable(files[study])
        if why_skipped(files[study]):
            parts.append(_skipped(study, runs, files[study], folder, settings, len(annotation)))
        elif reason:
            parts.append(_unusable(study, runs, reason, len(annotation)))
        else:
            paths = {kind: checked_path(folder, entry) for kind, entry in files[study].items() if entry.status == "ok"}
            parts.append(build_study(study, runs, paths, annotation, settings, seed))
        log.info(
            "%s: %d samples, %d of %d runs dropped", study.project, len(parts[-1][0]), len(parts[-1][2]), len(runs)
        )
    counts, samples, dropped, attributes = zip(*(parts or [_unusable(None, [], None, len(annotation))]), strict=True)
    del parts
    joined = _stack(list(counts), kept)
    return Shard(joined, pd.concat(samples), genes, _concatenate(dropped), _concatenate(attributes))


def _stack(counts, kept):
    """Wanted genes of all studies' counts in one array; the list is emptied, so that little is held twice."""
    joined, row = np.empty((sum(len(part) for part in counts), int(kept.sum())), dtype=np.int64), 0
    for index in range(len(counts)):
        part, counts[index] = counts[index], None
        np.compress(kept, part, axis=1, out=joined[row : row + len(part)])
        row += len(part)
    return joined


def _concatenate(frames):
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def _skipped(study, runs, files, folder, settings, genes):
    """A study whose counts were not fetched: each run with the reason in its metadata, if it is not the study's."""
    paths = {kind: checked_path(folder, entry) for kind, entry in files.items() if entry.status == "ok"}
    told = metadata_reasons(run_table(runs, runs, paths), settings)
    if len(told) < len(runs):
        return _unusable(study, runs, why_skipped(files), genes, "study_excluded")
    told.insert(0, "study", study.project)
    counts, samples, _, attributes = _unusable(study, [], None, genes)
    return counts, samples, told.sort_values("run", ignore_index=True), attributes


def _unusable(study, runs, detail, genes, reason="study_unusable"):
    dropped = [(study.project, run, reason, detail) for run in sorted(runs)]
    return (
        np.zeros((0, genes), dtype=np.int64),
        _sample_table(study, pd.DataFrame(), []),
        pd.DataFrame(dropped, columns=DROPPED_COLUMNS, dtype=object),
        pd.DataFrame(columns=["sample", "key", "value"], dtype=str),
    )


def build_study(study, planned_runs, paths, annotation, settings, seed):
    """One study: (counts over all genes, samples, dropped, attributes), as in `Shard`."""
    sums = RunSums(paths["gene_sums"], len(annotation))
    runs = run_table(planned_runs, set(sums.header.runs), paths)
    dropped = [metadata_reasons(runs, settings)]
    candidates = runs.index.difference(dropped[0]["run"])

    checked = annotation["gene_type"].isin(settings.zero_fraction_gene_types).to_numpy()
    totals, zeros = sums.statistics(list(candidates), checked)
    dropped.append(count_reasons(list(candidates), totals, zeros, settings))
    good = runs.loc[candidates.difference(dropped[1]["run"])]

    over = runs_over_cap(good["experiment"], settings.max_runs_per_study, seed, study)
    dropped.append(first_reasons(good.index, [("run_cap", over, good["experiment"])]))
    unplanned = pd.Index(sorted(set(sums.header.runs) - set(planned_runs)))
    dropped.append(first_reasons(unplanned, [("not_in_archive_table", pd.Series(True, index=unplanned), None)]))
    good = good[~over]

    experiments = sorted(good["experiment"].unique())
    counts = sums.of_samples(good["experiment"], experiments)
    lines = _concatenate(dropped).sort_values("run", ignore_index=True)
    lines.insert(0, "study", study.project)
    return counts, _sample_table(study, good, experiments), lines, attribute_table(good)


def runs_over_cap(experiments, max_runs, seed, study):
    """Which runs are left out so that a study has at most `max_runs`: whole samples, drawn by the seed.

    Parameters
    ----------
    experiments : pandas.Series
        Sample of each run; index: run.
    max_runs : int
    seed : int
    study : Study

    Returns
    -------
    pandas.Series
        bool, by run.
    """
    sizes = experiments.value_counts()
    draw = {name: derive(seed, "run_cap", study.organism, study.source, study.project, name) for name in sizes.index}
    order = sorted(sizes.index, key=draw.get)
    within = sizes[order].cumsum() <= max_runs
    return ~experiments.isin(within.index[within])


def _sample_table(study, runs, experiments):
    """One row per sample: coverage and mapped reads summed over its runs, mapped length averaged over its reads."""
    runs = runs.sort_index()
    place = pd.Index(experiments).get_indexer(runs["experiment"]) if len(runs) else np.empty(0, dtype=int)
    names = [[] for _ in experiments]
    for sample, run in zip(place, runs.index, strict=True):
        names[sample].append(run)

    def total(weights):
        return np.bincount(place, weights, len(experiments)).astype(float)

    columns = [runs[name].to_numpy(dtype=float) if len(runs) else [] for name in ("auc", *LENGTH_COLUMNS)]
    coverage, reads, bases = total(columns[0]), total(columns[1]), total(np.multiply(columns[1], columns[2]))
    length = np.divide(bases, reads, out=np.full(len(reads), np.nan), where=reads > 0)
    known = {"study": study.project, "organism": study.organism, "source": study.source} if study else {}
    values = {"runs": [",".join(of_sample) for of_sample in names], "auc": coverage, "mapped_reads": reads}
    table = {**known, "unit": "base_coverage", **values, "average_mapped_length": length}
    return pd.DataFrame(table, columns=SAMPLE_COLUMNS, index=pd.Index(experiments, dtype=object, name="sample"))
