"""Control: another graph with its edges rewired, each gene keeping its in-degree and out-degree."""

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
import pandas as pd

from scarceseq.network.graph import read_one

INPUTS = ("graphs",)
KEYS = ("of",)
SWAPS_PER_EDGE = 10


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Edges of the graph `of` after random swaps of the targets of two edges; a weight stays with its source."""
    edges = read_one(inputs)
    genes, index = np.unique(edges[["source", "target"]].to_numpy(dtype=str), return_inverse=True)
    source, target = index.reshape(-1, 2).T.astype(np.int64)
    pairs = np.random.default_rng(settings["seed"]).integers(len(edges), size=(SWAPS_PER_EDGE * len(edges), 2))
    target = target.copy()
    swapped = rewire_targets(source, target, len(genes), pairs)
    return edges.assign(target=genes[target]), {"swaps": int(swapped)}


def rewire_targets(source: np.ndarray, target: np.ndarray, genes: int, pairs: np.ndarray) -> int:
    """Swap the targets of pairs of edges in place; returns how many.

    The pairs are taken in blocks, each with a new set of edges: a set that has seen many removals is searched ever
    longer (over 150 s instead of 3 for the 3.7 million pairs of the whole Gene Ontology).
    """
    blocks = np.array_split(pairs, max(1, len(pairs) // max(len(source), 1)))
    return sum(swap_targets(source, target, genes, block) for block in blocks)


@numba.njit(cache=True)
def swap_targets(source: np.ndarray, target: np.ndarray, genes: int, pairs: np.ndarray) -> int:
    """Swap the targets of pairs of edges in place, unless that makes a self pair or an edge twice; returns how many."""
    present = set()
    for edge in range(len(source)):
        present.add(source[edge] * genes + target[edge])
    swapped = 0
    for first, second in pairs:
        a, b, c, d = source[first], target[first], source[second], target[second]
        if a == d or c == b or a * genes + d in present or c * genes + b in present:
            continue
        present.remove(a * genes + b)
        present.remove(c * genes + d)
        present.add(a * genes + d)
        present.add(c * genes + b)
        target[first], target[second] = d, b
        swapped += 1
    return swapped
