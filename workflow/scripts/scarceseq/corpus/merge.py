"""All studies in one order: which samples stay, on which genes, and where their counts are."""

import hashlib
import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scarceseq.archive.counts import DROPPED_COLUMNS, CountsFile
from scarceseq.corpus.store import block_rows
from scarceseq.errors import InputError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A batch or a user's study, on the corpus's genes.

    Attributes
    ----------
    file : CountsFile
    columns : numpy.ndarray of int, (genes,), or None
        Column in the file of each gene of the corpus; None if they are the same genes in the same order.
    """

    file: CountsFile
    columns: np.ndarray | None

    def counts(self, source, start, stop):
        """int64, (stop - start, genes): rows of the open data set `source`."""
        block = source[start:stop]
        return block if self.columns is None else block[:, self.columns]


@dataclass(frozen=True)
class Corpus:
    """Attributes
    ----------
    parts : list of Part
    part_of, row_of : numpy.ndarray of int, (samples,)
        Where the counts of each sample are: coverage sums of archive samples, read counts of a user's.
    samples : pandas.DataFrame
        Index: sample; sorted by study, then sample.
    figures : pandas.DataFrame
        library_size, genes_detected, zero_fraction, rate_sum of each sample; see `sample_table`.
    genes : pandas.DataFrame
        Index: versioned gene id. Columns gene_name, gene_type, bp_length, shared (measured in every study) and
        chosen (a column of the training matrix).
    dropped : pandas.DataFrame
        study, run, reason, value: of all stages, sorted.
    """

    parts: list
    part_of: np.ndarray
    row_of: np.ndarray
    samples: pd.DataFrame
    figures: pd.DataFrame
    genes: pd.DataFrame
    dropped: pd.DataFrame


def merge(paths, dropped, gene_types):
    """Join batches and user studies; counts are read in blocks and not kept.

    Parameters
    ----------
    paths : list of path
        Files of `scarceseq.archive.counts`, at least one batch of the archive first: its genes are the corpus's.
    dropped : list of pandas.DataFrame
        study, run, reason, value, from each batch.
    gene_types : list of str
        Types of the genes of the training matrix; all if empty.

    Returns
    -------
    Corpus

    Raises
    ------
    InputError
        If a part lacks a gene, or no sample or no gene is left.
    """
    genes, parts = _align([CountsFile(path) for path in paths])
    genes["chosen"] = genes["shared"] & (genes["gene_type"].isin(gene_types) if gene_types else True)
    samples = pd.concat([part.file.samples.astype({"study": str, "runs": str}) for part in parts])
    samples.index = samples.index.astype(str)
    part_of = np.repeat(np.arange(len(parts)), [len(part.file.samples) for part in parts])
    row_of = np.concatenate([np.arange(len(part.file.samples)) for part in parts])
    figures, digests = count_figures(parts, genes)

    order = np.lexsort((samples.index, samples["study"]))
    samples, figures = samples.iloc[order], figures.iloc[order]
    reasons = sample_reasons(digests[order], figures["genes_detected"], samples.index)
    lost = pd.concat([pd.DataFrame(columns=DROPPED_COLUMNS, dtype=object), *dropped, _dropped_runs(samples, reasons)])
    lost = lost.sort_values(["study", "run"], ignore_index=True)
    kept = np.array([not reason for reason, _ in reasons], dtype=bool)
    if not kept.any():
        raise InputError(f"corpus: no sample is left; reasons: {lost['reason'].value_counts().to_dict()}")
    if not genes["chosen"].any():
        raise InputError(
            f"config key corpus.gene_types: none of the {genes['shared'].sum()} genes measured in every study has a "
            f"type among {gene_types}"
        )
    log.info(
        "%d samples of %d studies kept; %d genes, %d measured in every study, %d chosen",
        *(kept.sum(), samples["study"][kept].nunique(), len(genes), genes["shared"].sum(), genes["chosen"].sum()),
    )
    return Corpus(parts, part_of[order][kept], row_of[order][kept], samples[kept], figures[kept], genes, lost)


def _align(files):
    """Gene table with column shared, and the parts on these genes."""
    gene_ids = files[0].genes.index
    genes = files[0].genes[["gene_name", "gene_type", "bp_length"]].copy()
    genes[["gene_name", "gene_type"]] = genes[["gene_name", "gene_type"]].astype(str)
    parts, genes["shared"] = [], any(len(file.samples) for file in files)
    for file in files:
        same = file.genes.index.equals(gene_ids)
        columns = None if same else file.genes.index.get_indexer(gene_ids)
        if not same and (columns < 0).any():
            raise InputError(
                f"{file.path}: lacks {(columns < 0).sum()} of the {len(gene_ids)} genes of {files[0].path}, the first "
                f"is {gene_ids[columns < 0][0]}; were they made with one annotation? Delete them and run again"
            )
        parts.append(Part(file, columns))
        if len(file.samples):
            measured = file.genes["measured"].to_numpy(dtype=bool)
            genes["shared"] &= measured if same else measured[columns]
    return genes, parts


def count_figures(parts, genes):
    """Figures of all samples, in the order of the parts, and what tells whether two have the same counts.

    Returns
    -------
    figures : pandas.DataFrame
        As `Corpus.figures`.
    digests : numpy.ndarray
        bytes, (samples,): SHA-256 of the counts of the shared genes.
    """
    shared = genes["shared"].to_numpy()
    chosen = genes["chosen"].to_numpy()[shared]
    per_base = 1 / genes["bp_length"].to_numpy(dtype=np.float64)[shared]
    blocks, digests = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))], []
    for part in parts:
        rows = len(part.file.samples)
        with part.file.open() as source:
            for start in range(0, rows, block_rows(len(shared))):
                counts = part.counts(source, start, min(start + block_rows(len(shared)), rows))
                counts = np.ascontiguousarray(counts[:, shared])
                zero_fraction = (counts[:, chosen] == 0).mean(axis=1) if chosen.any() else np.ones(len(counts))
                blocks.append(
                    (counts.sum(axis=1), (counts > 0).sum(axis=1), zero_fraction, (counts * per_base).sum(axis=1))
                )
                digests += [hashlib.sha256(row).digest() for row in counts]
    columns = [np.concatenate(column) for column in zip(*blocks, strict=True)]
    names = ["library_size", "genes_detected", "zero_fraction", "rate_sum"]
    return pd.DataFrame(dict(zip(names, columns, strict=True))), np.array(digests, dtype=object)


def sample_reasons(digests, genes_detected, names):
    """Why a sample cannot stay: (reason, value), or (None, None) if it can.

    Samples of identical counts are one sample: the first stays, so that none is in two splits.

    Parameters
    ----------
    digests : sequence of bytes
        Equal where the counts of the shared genes are; in the final order.
    genes_detected : sequence of int
        Number of these genes that are not zero.
    names : sequence of str
    """
    first, seen, reasons = {}, set(), []
    for name, digest, detected in zip(names, digests, genes_detected, strict=True):
        if detected == 0:
            reasons.append(("all_zero_in_shared_genes", None))
        elif digest in first:
            reasons.append(("duplicate_content", first[digest]))
        elif name in seen:
            reasons.append(("duplicate_sample", name))
        else:
            first[digest] = name
            seen.add(name)
            reasons.append((None, None))
    return reasons


def _dropped_runs(samples, reasons):
    rows = [
        (study, run, reason, value)
        for study, runs, (reason, value) in zip(samples["study"], samples["runs"], reasons, strict=True)
        if reason
        for run in runs.split(",")
    ]
    return pd.DataFrame(rows, columns=DROPPED_COLUMNS, dtype=object)


def sample_table(corpus):
    """Table of samples: the corpus's columns, and figures over the genes measured in every study.

    library_size is in bases of coverage for archive samples and in reads for a user's; zero_fraction is over the
    chosen genes; rate_sum, of library_size's unit per base, is what TPM divides by: counts are
    TPM x bp_length x rate_sum / 1e6.
    """
    table = corpus.samples.astype(dict.fromkeys(["organism", "source", "unit"], str))
    return pd.concat([table.rename_axis("sample").reset_index(), corpus.figures.reset_index(drop=True)], axis=1)


def gene_table(corpus):
    """The columns of the training matrix, in order: gene_id, gene_name, gene_type, bp_length."""
    chosen = corpus.genes[corpus.genes["chosen"]].drop(columns=["shared", "chosen"])
    return chosen.rename_axis("gene_id").reset_index()


def attribute_table(attributes, samples):
    """Attributes of the kept samples, sorted: sample, key, value."""
    table = pd.concat(attributes, ignore_index=True)
    table = table[table["sample"].isin(samples)].drop_duplicates(["sample", "key"])
    return table.sort_values(["sample", "key"], ignore_index=True).astype(str)
