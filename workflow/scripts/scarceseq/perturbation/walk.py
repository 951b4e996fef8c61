"""Features of genes from a graph."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from scarceseq.network.graph import Graph


def neighbourhood_rows(graph: Graph, genes: Sequence[str] | np.ndarray) -> tuple[sparse.csr_array, np.ndarray]:
    """Neighbourhoods of those genes that the graph has, scaled to length one.

    A neighbourhood is a row of D^(-1/2) (W + I) D^(-1/2), W the larger of the two directions' weights and D its row
    sums with the self loop: the normalisation of graph convolutions (Kipf & Welling 2017).

    Returns
    -------
    (scipy.sparse.csr_array of shape (genes of the graph, nodes), numpy.ndarray of int)
        Rows, and the positions of their genes among `genes`.
    """
    weights = graph.incoming.maximum(graph.incoming.T) + sparse.eye_array(len(graph.nodes), format="csr")
    scale = sparse.diags_array(1 / np.sqrt(weights.sum(axis=1)))
    normalised = (scale @ weights @ scale).tocsr()
    position = graph.positions(genes)
    covered = np.flatnonzero(position >= 0)
    rows = normalised[position[covered]]
    return (sparse.diags_array(1 / np.sqrt(rows.power(2).sum(axis=1))) @ rows).tocsr(), covered


def neighbourhood_cosine(graph: Graph, genes: Sequence[str] | np.ndarray) -> np.ndarray:
    """Cosine similarity of the neighbourhoods of genes, (genes, genes), see `neighbourhood_rows`.

    Rows and columns are zero for genes that the graph does not have.
    """
    rows, covered = neighbourhood_rows(graph, genes)
    kernel = np.zeros((len(genes), len(genes)))
    kernel[np.ix_(covered, covered)] = (rows @ rows.T).toarray()
    return kernel
