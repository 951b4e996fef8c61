"""What selectors share: the pool checked, and ties broken in a declared way."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from scarceseq.errors import InputError

if TYPE_CHECKING:
    from scarceseq.network.graph import Graph

# Weights are counted in whole multiples of 2**-20, so that every algorithm and machine sees the same ties.
QUANTUM = 2.0**-20


def quantise(weights: np.ndarray | Sequence[float]) -> np.ndarray:
    """Weights in whole multiples of `QUANTUM`, int64."""
    return np.round(np.asarray(weights, dtype=float) / QUANTUM).astype(np.int64)


def check_pool(
    pool: Sequence[str], graph: "Graph | None" = None, budget: int | None = None, labelled: Sequence[str] = ()
) -> np.ndarray:
    """Pool as a sorted array.

    - `graph`: if given, at least one gene of the pool must be in it
    - `budget`: at most the size of the pool
    - `labelled`: already measured: none may be in the pool

    Raises `InputError` for an empty pool, a gene listed twice or already measured, a budget that the pool does not
    have, a graph without any gene of the pool.
    """
    genes = np.array(sorted(pool), dtype=object)
    if not len(genes):
        raise InputError("selection: the pool is empty; lower the screen's test_share or give more perturbations")
    twice = genes[1:][genes[1:] == genes[:-1]]
    if len(twice):
        raise InputError(f"selection: gene {twice[0]} is in the pool twice; remove duplicates")
    again = sorted(set(genes) & set(labelled))
    if again:
        raise InputError(f"selection: gene {again[0]} is in the pool, but was measured already; remove it from one")
    if budget is not None and not 1 <= budget <= len(genes):
        raise InputError(f"selection: a budget of {budget} of a pool of {len(genes)} genes; give 1 to {len(genes)}")
    if graph is not None and (graph.positions(genes) < 0).all():
        raise InputError(
            f"selection: none of the {len(genes)} genes of the pool is in the graph (pool: {genes[0]}, ...; graph: "
            f"{graph.nodes[0]}, ...); check organism and gene symbols"
        )
    return genes


def tie_order(genes: np.ndarray, graph: "Graph") -> np.ndarray:
    """The order in which genes of equal gain are taken: larger sum of weights of all edges at the gene, then symbol.

    Returns positions in `genes`, which are sorted. Genes that the graph does not have come last.
    """
    position = graph.positions(genes)
    strength = quantise(graph.incoming.sum(axis=1) + graph.incoming.sum(axis=0))
    strength = np.where(position >= 0, strength[position], 0)
    return np.lexsort((np.arange(len(genes)), -strength))


def arrange(
    genes: np.ndarray, labelled: Collection[str], graph: "Graph | None" = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Candidates in the order of ties (by name without a graph), then what was measured, by name.

    Returns all names, positions of the candidates, positions of the measured.

    - `genes`: candidates, sorted
    """
    ordered = genes if graph is None else genes[tie_order(genes, graph)]
    everyone = np.concatenate([ordered, np.array(sorted(labelled), dtype=object)])
    return everyone, np.arange(len(genes)), np.arange(len(genes), len(everyone))


def arrange_pool(
    pool: Sequence[str], graph: "Graph", budget: int | None, labelled: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pool, checked by `check_pool` and arranged by `arrange`: the candidates come first."""
    return arrange(check_pool(pool, graph, budget, labelled), labelled, graph)


def rank_by_score(
    genes: np.ndarray, graph: "Graph", scores: np.ndarray, budget: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Genes by falling score of their node; ties in the declared order. Returns genes, and their scores.

    - `genes`: sorted
    - `scores` (nodes,): not negative; genes outside the graph have 0
    """
    position = graph.positions(genes)
    score = np.where(position >= 0, scores[position], 0).astype(float)
    ties = tie_order(genes, graph)
    order = ties[np.argsort(-score[ties], kind="stable")][:budget]
    return genes[order], score[order]
