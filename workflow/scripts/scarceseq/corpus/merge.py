"""All studies in one matrix: exact counts for whoever opens it, log2(TPM + 1) in rows for training."""

import hashlib
import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scarceseq.archive.counts import DROPPED_COLUMNS
from scarceseq.corpus.transform import log_tpm
from scarceseq.errors import InputError
from scarceseq.files import atomic

log = logging.getLogger(__name__)

# Rows normalised at once.
BLOCK_ROWS = 512


@dataclass(frozen=True)
class Corpus:
    """Attributes
    ----------
    counts : numpy.ndarray
        int64, (samples, genes): coverage sums of archive samples, read counts of a user's.
    samples : pandas.DataFrame
        Index: sample; sorted by study, then sample.
    genes : pandas.DataFrame
        Index: versioned gene id. Columns gene_name, gene_type, bp_length, shared (measured in every study) and
        chosen (a column of the training matrix).
    dropped : pandas.DataFrame
        study, run, reason, value: of all stages, sorted.
    """

    counts: np.ndarray
    samples: pd.DataFrame
    genes: pd.DataFrame
    dropped: pd.DataFrame


def merge(parts, dropped, gene_types):
    """Join batches and user studies.

    Parameters
    ----------
    parts : list of anndata.AnnData
        At least one batch of the archive first: its genes are the corpus's.
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
        If no sample or no gene is left.
    """
    genes, parts = _align(parts)
    counts = np.concatenate([np.asarray(part.X) for part in parts])
    samples = pd.concat([part.obs.astype({"study": str, "runs": str}) for part in parts])
    samples.index = samples.index.astype(str)
    order = np.lexsort((samples.index, samples["study"]))
    counts, samples = counts[order], samples.iloc[order]

    reasons = sample_reasons(counts[:, genes["shared"].to_numpy()], samples.index)
    lost = pd.concat([pd.DataFrame(columns=DROPPED_COLUMNS, dtype=object), *dropped, _dropped_runs(samples, reasons)])
    lost = lost.sort_values(["study", "run"], ignore_index=True)
    kept = [not reason for reason, _ in reasons]
    if not any(kept):
        raise InputError(f"corpus: no sample is left; reasons: {lost['reason'].value_counts().to_dict()}")

    genes["chosen"] = genes["shared"] & (genes["gene_type"].isin(gene_types) if gene_types else True)
    if not genes["chosen"].any():
        raise InputError(
            f"config key corpus.gene_types: none of the {genes['shared'].sum()} genes measured in every study has a "
            f"type among {gene_types}"
        )
    log.info(
        "%d samples of %d studies kept; %d genes, %d measured in every study, %d chosen",
        *(sum(kept), samples["study"][kept].nunique(), len(genes), genes["shared"].sum(), genes["chosen"].sum()),
    )
    return Corpus(counts[kept], samples[kept], genes, lost)


def _align(parts):
    """Gene table with column shared, and the parts on these genes."""
    gene_ids = parts[0].var_names
    genes = parts[0].var[["gene_name", "gene_type", "bp_length"]].copy()
    genes[["gene_name", "gene_type"]] = genes[["gene_name", "gene_type"]].astype(str)
    aligned = [part if part.var_names.equals(gene_ids) else part[:, gene_ids] for part in parts]
    measured = [part.var["measured"].to_numpy(dtype=bool) for part in aligned if part.n_obs]
    genes["shared"] = np.logical_and.reduce(measured) if measured else False
    return genes, aligned


def sample_reasons(counts, names):
    """Why a sample cannot stay: (reason, value), or (None, None) if it can.

    Samples of identical counts are one sample: the first stays, so that none is in two splits.

    Parameters
    ----------
    counts : numpy.ndarray
        int64, (samples, shared genes), in the final order.
    names : sequence of str
    """
    first, seen, reasons = {}, set(), []
    for name, row in zip(names, counts, strict=True):
        digest = hashlib.sha256(np.ascontiguousarray(row).tobytes()).digest()
        if not row.any():
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


def write_training_matrix(corpus, path):
    """Write log2(TPM + 1), float32, (samples, chosen genes), row after row, as ``.npy``.

    TPM is of all shared genes, whatever genes are chosen afterwards.
    """
    shared, chosen = corpus.genes["shared"].to_numpy(), corpus.genes["chosen"].to_numpy()
    length = corpus.genes["bp_length"].to_numpy(dtype=np.float64)[shared]
    shape = (len(corpus.samples), int(chosen.sum()))
    with atomic(path) as temporary, open(temporary, "wb") as handle:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(handle, header)
        for start in range(0, shape[0], BLOCK_ROWS):
            block = log_tpm(corpus.counts[start : start + BLOCK_ROWS, shared], length)
            handle.write(np.ascontiguousarray(block[:, chosen[shared]], dtype="<f4").tobytes())


def sample_table(corpus):
    """Table of samples: the corpus's columns, and figures over the genes measured in every study.

    library_size is in bases of coverage for archive samples and in reads for a user's; zero_fraction is over the
    chosen genes.
    """
    shared, chosen = corpus.genes["shared"].to_numpy(), corpus.genes["chosen"].to_numpy()
    table = (
        corpus.samples.astype(dict.fromkeys(["organism", "source", "unit"], str)).rename_axis("sample").reset_index()
    )
    return table.assign(
        library_size=corpus.counts[:, shared].sum(axis=1),
        genes_detected=(corpus.counts[:, shared] > 0).sum(axis=1),
        zero_fraction=(corpus.counts[:, chosen] == 0).mean(axis=1),
    )


def gene_table(corpus):
    """The columns of the training matrix, in order: gene_id, gene_name, gene_type, bp_length."""
    chosen = corpus.genes[corpus.genes["chosen"]].drop(columns=["shared", "chosen"])
    return chosen.rename_axis("gene_id").reset_index()


def attribute_table(attributes, samples):
    """Attributes of the kept samples, sorted: sample, key, value."""
    table = pd.concat(attributes, ignore_index=True)
    table = table[table["sample"].isin(samples)].drop_duplicates(["sample", "key"])
    return table.sort_values(["sample", "key"], ignore_index=True).astype(str)
