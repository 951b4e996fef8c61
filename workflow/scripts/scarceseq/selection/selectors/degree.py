"""Degree: genes with the most neighbours in the graph, in either direction."""

import numpy as np

from scarceseq.selection.pool import check_pool, tie_order

NEEDS_GRAPH = True
DRAWS = False


def rank(pool, graph, seed, settings):
    """Genes by falling number of distinct neighbours; the gain is that number, 0 outside the graph."""
    genes = check_pool(pool, graph)
    linked = (graph.incoming != 0).astype(np.int8)
    degree = np.diff(linked.maximum(linked.T).tocsr().indptr)
    position = graph.positions(genes)
    degree = np.where(position >= 0, degree[position], 0)
    ties = tie_order(genes, graph)
    order = ties[np.argsort(-degree[ties], kind="stable")]
    return genes[order], degree[order].astype(float)
