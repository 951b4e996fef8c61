"""What selectors share: the pool checked, and ties broken in a declared way."""

import numpy as np

from scarceseq.errors import InputError

# Weights are counted in whole multiples of 2**-20, so that every algorithm and machine sees the same ties.
QUANTUM = 2.0**-20


def quantise(weights):
    """Weights in whole multiples of `QUANTUM`, int64."""
    return np.round(np.asarray(weights, dtype=float) / QUANTUM).astype(np.int64)


def check_pool(pool, graph=None):
    """Pool as a sorted array.

    Parameters
    ----------
    pool : sequence of str
    graph : scarceseq.network.graph.Graph, optional
        If given, at least one gene of the pool must be in it.

    Raises
    ------
    InputError
        For an empty pool, a gene listed twice, a graph without any gene of the pool.
    """
    genes = np.array(sorted(pool), dtype=object)
    if not len(genes):
        raise InputError("selection: the pool is empty; lower the screen's test_share or give more perturbations")
    twice = genes[1:][genes[1:] == genes[:-1]]
    if len(twice):
        raise InputError(f"selection: gene {twice[0]} is in the pool twice; remove duplicates")
    if graph is not None and (graph.positions(genes) < 0).all():
        raise InputError(
            f"selection: none of the {len(genes)} genes of the pool is in the graph (pool: {genes[0]}, ...; graph: "
            f"{graph.nodes[0]}, ...); check organism and gene symbols"
        )
    return genes


def tie_order(genes, graph):
    """The order in which genes of equal gain are taken: larger sum of weights of all edges at the gene, then symbol.

    Parameters
    ----------
    genes : numpy.ndarray of str
        Sorted.
    graph : scarceseq.network.graph.Graph

    Returns
    -------
    numpy.ndarray of int
        Positions in `genes`. Genes that the graph does not have come last.
    """
    position = graph.positions(genes)
    strength = quantise(graph.incoming.sum(axis=1) + graph.incoming.sum(axis=0))
    strength = np.where(position >= 0, strength[position], 0)
    return np.lexsort((np.arange(len(genes)), -strength))
