"""All studies in one order: which samples stay, on which genes, and where their counts are."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.archive.counts import CountsFile
from scarceseq.archive.filters import DROPPED_COLUMNS
from scarceseq.archive.plan import accession
from scarceseq.corpus.alignment import AlignedFile, RowReads, align
from scarceseq.corpus.copies import SKETCH_COLUMNS, near_copies, reads_per_unit, signs, sketch
from scarceseq.corpus.gene_choice import choose_genes
from scarceseq.corpus.orthologues import OrthologueTable
from scarceseq.corpus.store import block_rows
from scarceseq.errors import InputError
from scarceseq.progress import follow

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Corpus:
    """Samples that stay, on one set of genes, and where their counts are."""

    files: list[AlignedFile]
    # int, (samples,), with row_of: file of each sample and row in it, coverage sums or a user's read counts
    file_of: np.ndarray
    row_of: np.ndarray
    samples: pd.DataFrame  # indexed by sample, sorted by study, then sample
    figures: pd.DataFrame  # library_size, genes_detected, zero_fraction, rate_sum of each sample; see `sample_table`
    # indexed by versioned gene id; columns of `align`, and chosen (a column of the training matrix)
    genes: pd.DataFrame
    dropped: pd.DataFrame  # study, run, reason, value: of all stages, sorted
    pairs: pd.DataFrame  # organism, gene, orthologue, use: see `OrthologueTable.match`


@dataclass(frozen=True)
class OtherCorpora:
    """Corpora of other runs."""

    paths: list  # of their ``corpus.h5ad``
    orthologues: OrthologueTable | None = None  # joins organisms
    excluded_studies: list = field(default_factory=list)  # accessions of studies that are not taken from them


def merge(
    paths: Sequence[str | Path],
    dropped: list[pd.DataFrame],
    gene_types: list[str],
    others: OtherCorpora | None = None,
    organism: str | None = None,
    gene_list: list[str] | None = None,
    measured_share: float = 1.0,
) -> Corpus:
    """Join batches, user studies and other runs' corpora; counts are read in blocks and not kept.

    `paths` are files of `scarceseq.archive.counts`, batches of the archive first: the genes of the first file are the
    corpus's, and its organism if none is given. `dropped` is study, run, reason, value of each batch; for `gene_types`
    and `gene_list` see `choose_genes`. A gene must have been measured by `measured_share` of the studies. Raises
    InputError if a file lacks a gene, a name means two things, or no sample or no gene is left.
    """
    others = others or OtherCorpora([])
    counted = [CountsFile(path) for path in [*paths, *others.paths]]
    genes, files, samples, pairs = align(counted, organism, others.orthologues, measured_share)
    genes["chosen"] = choose_genes(genes, gene_types, gene_list)
    file_of = np.repeat(np.arange(len(files)), [file.rows for file in files])
    row_of = np.concatenate([np.arange(file.rows) for file in files])
    listed = {accession(name) for name in others.excluded_studies}
    excluded = (file_of >= len(paths)) & samples.pop("accession").map(accession).isin(listed).to_numpy()
    _check_names(samples)
    read_bases = reads_per_unit(samples)
    figures, digests, sketches = count_figures(files, genes, read_bases)

    order = np.lexsort((samples.index, samples["study"]))
    detected = figures["genes_detected"].to_numpy()
    reasons = sample_reasons(digests[order], detected[order], samples.index[order], excluded[order])
    left = np.flatnonzero([not reason for reason, _ in reasons])  # places in the order
    rows = order[left]
    reads = RowReads(files, file_of[rows], row_of[rows], genes, read_bases[rows])
    near = near_copies(sketches[rows], samples["study"].to_numpy()[rows], reads)
    for row, first in near.items():
        reasons[left[row]] = ("near_copy", samples.index[rows[first]])
    if near:
        log.warning("%d samples are other samples again, by their counts, and are left out (near_copy)", len(near))
    kept = np.array([not reason for reason, _ in reasons], dtype=bool)
    lost = [_dropped_runs(samples.iloc[order[~kept]], [reason for reason in reasons if reason[0]])]
    lost = pd.concat([pd.DataFrame(columns=DROPPED_COLUMNS, dtype=object), *dropped, *lost])
    lost = lost.sort_values(["study", "run"], ignore_index=True)
    samples, figures = samples.iloc[order[kept]], figures.iloc[order[kept]]
    if not kept.any():
        raise InputError(f"corpus: no sample is left; reasons: {lost['reason'].value_counts().to_dict()}")
    if not genes["chosen"].any():
        raise InputError(
            f"config key corpus.gene_types: none of the {genes['shared'].sum()} genes measured in enough studies has a "
            f"type among {gene_types}{' and is in corpus.gene_list' if gene_list else ''}"
        )
    log.info(
        "%d samples of %d studies kept; %d genes, %d measured in enough studies, %d chosen",
        *(len(samples), samples["study"].nunique(), len(genes), genes["shared"].sum(), genes["chosen"].sum()),
    )
    return Corpus(files, file_of[order[kept]], row_of[order[kept]], samples, figures, genes, lost, pairs)


def _check_names(samples: pd.DataFrame) -> None:
    """Names are keys from here on: of studies in splits, of samples in attributes."""
    kinds = samples[["study", "organism", "source"]].astype(str).drop_duplicates()
    twice = kinds.loc[kinds["study"].duplicated(keep=False)]
    if len(twice):
        study, sources = twice["study"].iloc[0], " and ".join(twice["source"])
        raise InputError(f"corpus: study {study} comes from two sources, {sources}; give the user's study another name")
    owners = samples["organism"].astype(str).groupby(level=0).nunique()
    if (owners > 1).any():
        name = owners.index[owners > 1][0]
        studies = " and ".join(sorted(set(samples.loc[[name], "study"])))
        raise InputError(f"corpus: {studies} both have a sample {name}; give the user's study among them another name")


def count_figures(
    files: list[AlignedFile], genes: pd.DataFrame, read_bases: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Figures of all samples, in the order of the files, and what tells whether two have the same counts.

    Gives `Corpus.figures`; the SHA-256 of the counts of the shared genes, S32, (samples,); and the sketches of
    `near_copies`, float32, (samples, `SKETCH_COLUMNS`). For `read_bases`, (samples,), see `reads_per_unit`.
    """
    shared = genes["shared"].to_numpy()
    chosen = genes["chosen"].to_numpy()[shared]
    projections = signs(genes.index[genes["shared"] & genes["chosen"]])
    total, place = sum(aligned.rows for aligned in files), 0
    kinds = {"library_size": np.int64, "genes_detected": np.int64, "zero_fraction": float, "rate_sum": float}
    figures = {name: np.ones(total, dtype=kind) for name, kind in kinds.items()}
    digests, sketches = np.empty(total, dtype="S32"), np.zeros((total, SKETCH_COLUMNS), dtype=np.float32)
    for aligned in follow(files, "files counted"):
        length = aligned.bp_length[shared]
        with aligned.file.open() as source:
            for start in range(0, aligned.rows, block_rows(len(shared))):
                counts = aligned.counts(source, start, min(start + block_rows(len(shared)), aligned.rows))
                counts = np.ascontiguousarray(counts[:, shared])
                rows = slice(place, place + len(counts))
                figures["library_size"][rows] = counts.sum(axis=1)
                figures["genes_detected"][rows] = (counts > 0).sum(axis=1)
                if chosen.any():
                    of_chosen = counts[:, chosen]
                    figures["zero_fraction"][rows] = (of_chosen == 0).mean(axis=1)
                    sketches[rows] = sketch(of_chosen, length[chosen], read_bases[rows], projections)
                figures["rate_sum"][rows] = (counts / length).sum(axis=1)
                digests[rows] = [hashlib.sha256(row).digest() for row in counts]
                place = rows.stop
    return pd.DataFrame(figures), digests, sketches


def sample_reasons(
    digests: np.ndarray,
    genes_detected: Sequence[int] | np.ndarray,
    names: pd.Index,
    excluded: Sequence[bool] | np.ndarray,
) -> list[tuple[str | None, Any]]:
    """Why a sample cannot stay: (reason, value), or (None, None) if it can.

    Samples of identical counts are one sample: the first stays, so that none is in two splits. All arguments are in the
    final order; digests are equal where the counts of the shared genes are, of which `genes_detected` are not zero;
    `excluded` says whether the sample's study was named as not to be taken.
    """
    first, seen = {}, set()
    reasons: list[tuple[str | None, Any]] = []
    _, group, times = np.unique(digests, return_inverse=True, return_counts=True)
    alone = (times[group] == 1) & ~names.duplicated(keep=False)  # most are, and need not be remembered
    samples = zip(names, digests, genes_detected, excluded, alone, strict=True)
    for name, digest, detected, unwanted, single in samples:
        if unwanted:
            reasons.append(("study_excluded", None))
        elif detected == 0:
            reasons.append(("all_zero_in_shared_genes", None))
        elif single:
            reasons.append((None, None))
        elif digest in first:
            reasons.append(("duplicate_content", first[digest]))
        elif name in seen:
            reasons.append(("duplicate_sample", name))
        else:
            first[digest] = name
            seen.add(name)
            reasons.append((None, None))
    return reasons


def _dropped_runs(samples: pd.DataFrame, reasons: Iterable[tuple[str, str]]) -> pd.DataFrame:
    rows = [
        (study, run, reason, value)
        for study, runs, (reason, value) in zip(samples["study"], samples["runs"], reasons, strict=True)
        for run in runs.split(",")
    ]
    return pd.DataFrame(rows, columns=DROPPED_COLUMNS, dtype=object)


def sample_table(corpus: Corpus) -> pd.DataFrame:
    """Table of samples: the corpus's columns, and figures over the genes measured in enough studies.

    library_size is in bases of coverage for archive samples and in reads for a user's; zero_fraction is over the
    chosen genes; rate_sum, of library_size's unit per base, is what TPM divides by: counts are
    TPM x bp_length x rate_sum / 1e6.
    """
    table = corpus.samples.astype(dict.fromkeys(["organism", "source", "unit"], str), copy=False)
    columns = {name: frame[name].to_numpy() for frame in (table, corpus.figures) for name in frame}
    return pd.DataFrame({"sample": table.index.to_numpy(), **columns}, copy=False)


def gene_table(corpus: Corpus) -> pd.DataFrame:
    """The columns of the training matrix, in order: gene_id, gene_name, gene_type, bp_length; orthologues, if any."""
    chosen = corpus.genes[corpus.genes["chosen"]].drop(columns=["shared", "chosen"])
    return chosen.rename_axis("gene_id").reset_index()
