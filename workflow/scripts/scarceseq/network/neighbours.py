"""The strongest sources of each target, and lists of genes."""

from pathlib import Path

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.user_tables import read_first_cells


def strongest_sources(target: np.ndarray, tie: np.ndarray, weight: np.ndarray, top_k: int) -> np.ndarray:
    """Positions of the `top_k` heaviest edges of each target, ordered by target, then falling weight.

    All are (edges,). Of equally heavy edges, those of the smallest `tie`, such as the source's index, come first.
    """
    order = np.lexsort((tie, -weight, target))
    ordered = target[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, dtype=int)
    place = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.r_[starts, len(ordered)]))
    return order[place < top_k]


def strongest_edges(
    genes: np.ndarray, target: np.ndarray, source: np.ndarray, weight: np.ndarray, tie: np.ndarray, top_k: int
) -> pd.DataFrame:
    """Edges (source, target, weight) from the `strongest_sources` of each target; places are among the genes."""
    best = strongest_sources(target, tie, weight, top_k)
    return pd.DataFrame({"source": genes[source[best]], "target": genes[target[best]], "weight": weight[best]})


def read_gene_list(path: str | Path | None) -> set[str] | None:
    """Gene symbols of a text file, one per line; None for no path."""
    if not path:
        return None
    genes = read_first_cells(path)
    if not genes:
        raise InputError(f"{path}: the list of genes is empty")
    return set(genes)
