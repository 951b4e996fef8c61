"""Embeddings of samples: of the corpus's own rows, or of any table of counts once its genes are found."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from scarceseq.errors import InputError
from scarceseq.pretrain.model import Base

if TYPE_CHECKING:
    import pandas as pd


logger = logging.getLogger(__name__)

BLOCK_SAMPLES = 512


@dataclass(frozen=True)
class Alignment:
    """Which column of a table holds each gene of a base model."""

    columns: np.ndarray  # int, (genes of the model,); -1 where the table lacks the gene
    share: float  # of the model's genes that the table has


def align(base: Base, gene_ids: Sequence[str | None], minimum_share: float) -> Alignment:
    """Find the model's genes among `gene_ids`, whatever their order and the versions of the ids.

    Raises InputError if a gene occurs twice, or a share of the genes below `minimum_share` is found.
    """
    column = {}
    for place, gene_id in enumerate(gene_ids):
        if gene_id is None:
            continue
        gene = without_version(gene_id)
        if gene in column:
            raise InputError(f"gene {gene} has two columns, {column[gene]} and {place}: add them up or drop one")
        column[gene] = place
    columns = np.array([column.get(without_version(gene), -1) for gene in base.gene_ids])
    share = float((columns >= 0).mean())
    if share < minimum_share:
        missing = next(gene for gene, place in zip(base.gene_ids, columns, strict=True) if place < 0)
        raise InputError(
            f"{share:.1%} of the model's {len(columns)} genes are in the table, under the minimum of "
            f"{minimum_share:.0%} (missing: {missing}, ...); give unfiltered counts by Ensembl gene id"
        )
    logger.info("%.1f%% of the model's %d genes found; the others are put at their mean", 100 * share, len(columns))
    return Alignment(columns, share)


def without_version(gene_id: str) -> str:
    """``ENSMUSG00000064370.1`` without its version; what follows the version, such as ``_PAR_Y``, stays."""
    return re.sub(r"\.\d+", "", gene_id, count=1)


def embed(
    base: Base, counts: np.ndarray, gene_ids: Sequence[str], minimum_share: float
) -> tuple[np.ndarray, Alignment]:
    """Embeddings, (samples, width), float32, of samples given as counts, and how the genes were aligned.

    `counts`, (samples, genes of the table), may be an HDF5 data set of reads or sums of coverage, and is read in
    blocks; `gene_ids` are Ensembl ids, None for a column that holds no measured gene. Raises InputError if the table
    has less than `minimum_share` of the model's genes, or a sample has no count or one that cannot be.
    """
    if counts.shape[1] != len(gene_ids):
        raise InputError(f"counts of shape {tuple(counts.shape)} with {len(gene_ids)} gene ids; give one id per column")
    alignment = align(base, gene_ids, minimum_share)
    embedding = np.empty((counts.shape[0], base.network.width), np.float32)
    for start in range(0, counts.shape[0], BLOCK_SAMPLES):
        values = log_expression(base, alignment, counts[start : start + BLOCK_SAMPLES], start)
        embedding[start : start + BLOCK_SAMPLES] = _embed_rows(base, values)
    return embedding, alignment


def embed_rows(base: Base, expression: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Embeddings, (rows, width), float32, of log2(TPM + 1) in the model's genes, such as the training matrix."""
    rows = np.arange(len(expression)) if rows is None else rows
    # One array for all: blocks that are kept would lie between those that are freed, and the heap would grow by each.
    embedding = np.empty((len(rows), base.network.width), np.float32)
    for start in range(0, len(rows), BLOCK_SAMPLES):
        values = np.asarray(expression[rows[start : start + BLOCK_SAMPLES]])
        embedding[start : start + BLOCK_SAMPLES] = _embed_rows(base, values)
    return embedding


@torch.no_grad()
def _embed_rows(base: Base, expression: np.ndarray) -> np.ndarray:
    return base.network.eval().embed(base.standardise(expression)).float().cpu().numpy()


@torch.no_grad()
def embed_genes(base: Base) -> np.ndarray:
    """Vector of each gene in the model, (genes, width), float32, in the order of ``base.gene_ids``."""
    return base.network.gene_vectors().float().cpu().numpy()


@torch.no_grad()
def tell_labels(base: Base, embedding: np.ndarray) -> dict[str, np.ndarray]:
    """Most probable class, (samples,), of each attribute that the model learned, by `embedding`, (samples, width)."""
    values = torch.as_tensor(embedding, device=base.mean.device)
    chosen = {key: head(values).argmax(dim=1).cpu().numpy() for key, (_, head) in base.heads.items()}
    return {key: np.array(base.heads[key][0], dtype=object)[of_samples] for key, of_samples in chosen.items()}


def log_expression(base: Base, alignment: Alignment, counts: np.ndarray, first_row: int = 0) -> np.ndarray:
    """log2(TPM + 1) in the model's genes, (samples, genes), from counts in the table's.

    TPM is over the genes present, and adds up to what these have in the samples that the model was fitted on, since the
    model's genes are not all genes. A missing gene is put at its mean, which is a z-score of 0. `first_row` is the
    first sample's, for messages.
    """
    counts = np.asarray(counts, dtype=np.float64)
    present = alignment.columns >= 0
    measured = counts[:, alignment.columns[present]]
    wrong = ~(np.isfinite(measured) & (measured >= 0)).all(axis=1) | (measured.sum(axis=1) == 0)
    if wrong.any():
        raise InputError(
            f"row {first_row + int(wrong.argmax())} of the counts is all zero, or has a negative or missing value; "
            "leave the sample out, or give counts instead of logarithms"
        )
    vocabulary = base.information["vocabulary"]
    rate = measured / np.asarray(vocabulary["bp_length"])[present]
    total = np.asarray(vocabulary["mean_tpm"])[present].sum()
    expression = np.tile(base.mean.cpu().numpy().astype(np.float64), (len(counts), 1))
    expression[:, present] = np.log2(rate / rate.sum(axis=1, keepdims=True) * total + 1)
    return expression


def attribute_columns(
    attributes: "pd.DataFrame", samples: Sequence[str], minimum_share: float = 0.01
) -> "pd.DataFrame":
    """One column for each attribute that a share of the samples has; the rest would be thousands of empty columns.

    `attributes` has sample, key, value. Columns are ``attribute_<key>``, indexed by `samples`; missing where a sample
    has none.
    """
    attributes = attributes[attributes["sample"].isin(samples)].drop_duplicates(["sample", "key"])
    counted = attributes["key"].value_counts()
    kept = attributes[attributes["key"].isin(counted[counted >= minimum_share * len(samples)].index)]
    wide = kept.pivot(index="sample", columns="key", values="value").reindex(samples)
    return wide.rename(columns="attribute_{}".format).rename_axis(columns=None)


def write_embedding(embedding: np.ndarray, table: "pd.DataFrame", base: Base, share: float, path: str | Path) -> None:
    """Write an ``.h5ad``: samples x width, the samples' table as obs, and of the model what tells it apart.

    `table` is indexed by sample; `share` is that of the model's genes that the samples had.
    """
    import anndata
    import pandas as pd

    from scarceseq.files import atomic

    text = table.select_dtypes("object").columns
    table = table.assign(**{name: table[name].astype("category") for name in text})
    names = pd.DataFrame(index=[f"embedding_{axis}" for axis in range(embedding.shape[1])])
    keys = ("architecture", "split", "seed", "corpus_fingerprint", "commit")
    provenance = {f"model_{key}": str(base.information.get(key)) for key in keys} | {"share_of_genes_found": share}
    with atomic(path, sealed=True) as temporary:
        anndata.AnnData(embedding, obs=table.rename_axis("sample"), var=names, uns=provenance).write_h5ad(temporary)
