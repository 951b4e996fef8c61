"""Which genes models are trained on: all, those of some types, those of a list."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from scarceseq.archive.gene_ids import unversioned
from scarceseq.errors import InputError
from scarceseq.user_tables import read_first_cells

log = logging.getLogger(__name__)


def read_gene_list(path: str | Path) -> list[str]:
    """Gene ids of a text, one a line."""
    gene_ids = read_first_cells(path)
    if not gene_ids:
        raise InputError(f"config key corpus.gene_list: {path} names no gene")
    return gene_ids


def choose_genes(genes: pd.DataFrame, gene_types: list[str], gene_list: list[str] | None = None) -> np.ndarray:
    """Which genes are columns of the training matrix, bool, (genes,): only shared ones.

    `genes` is indexed by versioned id and has gene_type and shared. All types are chosen if `gene_types` is empty; of a
    gene list, in which versions are ignored, only the genes of these types.
    """
    chosen = genes["shared"].to_numpy(dtype=bool)
    if gene_types:
        chosen = chosen & genes["gene_type"].isin(gene_types).to_numpy()
    if gene_list is not None:
        wanted, of_corpus = unversioned(gene_list), unversioned(genes.index)
        lacking = wanted[~wanted.isin(of_corpus[chosen])]
        if len(lacking):
            log.warning(
                "config key corpus.gene_list: %d of %d genes are not in the annotation, not measured in every study, "
                "or of another type, such as %s",
                *(len(lacking), len(wanted), ", ".join(lacking[:5])),
            )
        chosen = chosen & of_corpus.isin(wanted).to_numpy()
    return chosen
