"""Reach: which nodes of the graph a training perturbation teaches a graph network something about.

The gradient of a perturbation's loss reaches the embeddings of the sources of its incoming edges, as many steps back
as the network has layers; a selection should reach many nodes, or much-used ones. A documented reconstruction of
graph-based one-shot selection (arXiv 2503.14571), made from its abstract.
"""

import numpy as np
from scipy import sparse

from scarceseq.selection.cover import lazy_greedy
from scarceseq.selection.pool import QUANTUM, tie_order


def rank_by_reach(genes, graph, hops, node_weights):
    """Greedy ranking by newly reached weight.

    Parameters
    ----------
    genes : numpy.ndarray of str
        Candidates, sorted.
    graph : scarceseq.network.graph.Graph
    hops : int
    node_weights : numpy.ndarray of int64, shape (nodes + candidates,)
        Weight of each node of the graph, then of each candidate (used for those outside the graph).

    Returns
    -------
    (numpy.ndarray of str, numpy.ndarray of float)
        Genes in order, and their gains.
    """
    ties = tie_order(genes, graph)
    balls = reach_balls(genes, graph, hops)
    order, gains = lazy_greedy([balls[candidate] for candidate in ties], node_weights)
    return genes[ties[order]], gains * QUANTUM


def reach_balls(genes, graph, hops):
    """Nodes that lead to each gene in at most `hops` steps along edges, the gene included.

    Returns
    -------
    list of numpy.ndarray of int
        Positions in ``graph.nodes``; a gene outside the graph reaches only itself, numbered after the nodes.
    """
    position = graph.positions(genes)
    steps = (graph.incoming != 0).astype(np.int32) + sparse.eye_array(len(graph.nodes), dtype=np.int32, format="csr")
    known = np.flatnonzero(position >= 0)
    reach = sparse.eye_array(len(graph.nodes), dtype=np.int32, format="csr")[position[known]]
    for _ in range(hops):
        reach = ((reach @ steps) != 0).astype(np.int32).tocsr()
    reach.sort_indices()
    balls = [np.array([len(graph.nodes) + candidate]) for candidate in range(len(genes))]
    for row, candidate in enumerate(known):
        balls[candidate] = reach.indices[reach.indptr[row] : reach.indptr[row + 1]]
    return balls


def usage(genes, graph):
    """How much predictions of the pool lean on each node: column sums of the normalised adjacency over the pool.

    The adjacency is that of a graph convolution with self loops of weight one, w_ts / sqrt(d_t d_s), d the sum of the
    weights that come in.

    Returns
    -------
    numpy.ndarray of float, shape (nodes + candidates,)
        For the nodes, then 1 for each candidate (a gene outside the graph leans on itself alone).
    """
    weights = graph.incoming + sparse.eye_array(len(graph.nodes), format="csr")
    scale = 1 / np.sqrt(weights.sum(axis=1))
    position = graph.positions(genes)
    in_pool = np.zeros(len(graph.nodes))
    in_pool[position[position >= 0]] = 1
    nodes = scale * (weights.T @ (scale * in_pool))
    return np.concatenate([nodes, np.ones(len(genes))])
