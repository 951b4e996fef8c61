"""Features of genes from several sources at once, whose inner products are the mean of the sources' kernels."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.network.graph import Graph
from scarceseq.perturbation.walk import neighbourhood_rows

CONSTANT = 1.0
"""Variance of the mean effect that all genes share, in units of the variance around it."""
Source: TypeAlias = Graph | pd.DataFrame


def unit_vectors(embedding: pd.DataFrame, genes: Sequence[str] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of those genes that an embedding has: standardised over them, then scaled to length one.

    Parameters
    ----------
    embedding : pandas.DataFrame
        Genes (index) x components.
    genes : sequence of str

    Returns
    -------
    (numpy.ndarray of shape (genes of the embedding, components), numpy.ndarray of int)
        Vectors, and the positions of their genes among `genes`.

    Raises
    ------
    InputError
        If the embedding has fewer than two of the genes.
    """
    place = embedding.index.get_indexer(genes)
    covered = np.flatnonzero(place >= 0)
    if len(covered) < 2:
        raise InputError(
            f"the gene embedding has {len(covered)} of the perturbed genes; check that both use the same gene symbols"
        )
    vectors = embedding.to_numpy(dtype=float)[place[covered]]
    vectors -= vectors.mean(axis=0)
    scale = vectors.std(axis=0)
    vectors = vectors[:, scale > 0] / scale[scale > 0]
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1), covered


def mean_kernel_features(
    sources: Sequence[Source], genes: Sequence[str] | np.ndarray, constant: float = CONSTANT
) -> sparse.csr_array:
    """Features F of genes with F F' = mean of the sources' kernels + constant.

    The kernel of a graph is the cosine of neighbourhoods (`scarceseq.perturbation.walk`), that of an embedding the
    cosine of standardised vectors. A gene that a source lacks is there like itself alone. Sources count alike: weights
    that are learned from some tens of perturbations fit their noise.

    Parameters
    ----------
    sources : sequence of Graph or pandas.DataFrame
        Graphs, and embeddings as genes (index) x components.
    genes : sequence of str
        Distinct.
    constant : float
        Of a kernel that is the same for all pairs: the effect that all perturbations share. It stands for centring on
        the mean of the measured genes, which a choice that is not random biases.

    Returns
    -------
    scipy.sparse.csr_array, shape (genes, features)

    Raises
    ------
    InputError
        If there is no source, or one has none of the genes.
    """
    if not len(sources):
        raise InputError("similarity of genes: there is neither a graph nor an embedding; name one")
    blocks = [np.sqrt(constant) * sparse.csr_array(np.ones((len(genes), 1)))]
    for source in sources:
        rows, covered = neighbourhood_rows(source, genes) if isinstance(source, Graph) else unit_vectors(source, genes)
        if not len(covered):
            raise InputError("a graph has none of the genes; check that both use the same gene symbols")
        blocks.append(_with_own_columns(sparse.csr_array(rows), covered, len(genes)) / np.sqrt(len(sources)))
    return sparse.hstack(blocks, format="csr")


def _with_own_columns(rows: sparse.csr_array, covered: np.ndarray, genes: int) -> sparse.csr_array:
    """Rows at their genes' places; a column to itself for each gene that has none or whose row is zero."""
    alone = np.setdiff1d(np.arange(genes), covered[np.asarray(rows.power(2).sum(axis=1)).ravel() > 0])
    place = sparse.csr_array((np.ones(len(covered)), (covered, np.arange(len(covered)))), shape=(genes, len(covered)))
    single = sparse.csr_array((np.ones(len(alone)), (alone, np.arange(len(alone)))), shape=(genes, len(alone)))
    return sparse.hstack([place @ rows, single], format="csr")
