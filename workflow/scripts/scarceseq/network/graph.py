"""A gene graph in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.files import read_table


@dataclass(frozen=True)
class Graph:
    """Directed weighted graph of genes."""

    nodes: np.ndarray  # gene symbols, sorted, (nodes,)
    # (nodes, nodes): weight of source -> target in row *target*, column *source*; no self pairs
    incoming: sparse.csr_array

    def positions(self, genes: Iterable[str]) -> np.ndarray:
        """Row of each gene, -1 where the graph does not have it."""
        return pd.Index(self.nodes).get_indexer(pd.Index(genes))


def check_edges(edges: pd.DataFrame, origin: str) -> None:
    """Raise `InputError`, naming `origin`, unless every edge has two names and a finite, positive weight."""
    missing = {"source", "target", "weight"} - set(edges.columns)
    if missing:
        raise InputError(f"{origin}: the edge table lacks the column(s) {', '.join(sorted(missing))}")
    weight = edges["weight"].to_numpy(dtype=float)
    for problem, wrong in (("is not a finite number", ~np.isfinite(weight)), ("is not positive", weight <= 0)):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            pair = f"{edges['source'].iloc[row]} -> {edges['target'].iloc[row]}"
            raise InputError(
                f"{origin}: the weight {weight[row]} of edge {pair} (row {row + 1}) {problem}; there are "
                f"{int(wrong.sum())} such edges, remove or correct them"
            )
    if not len(edges):
        raise InputError(f"{origin}: the graph has no edges; check the columns, the cut-off and the gene names")


def graph_from_edges(edges: pd.DataFrame, origin: str = "edge table") -> Graph:
    """Graph of edges between gene symbols; of parallel edges the heaviest counts, self pairs are ignored."""
    check_edges(edges, origin)
    edges = edges[edges["source"].to_numpy() != edges["target"].to_numpy()]
    check_edges(edges, f"{origin} without self pairs")
    edges = edges.groupby(["target", "source"], as_index=False, sort=True, observed=True)["weight"].max()
    names = np.concatenate([edges["source"].to_numpy(dtype=object), edges["target"].to_numpy(dtype=object)])
    nodes, index = np.unique(names.astype(str), return_inverse=True)
    source, target = index[: len(edges)], index[len(edges) :]
    weight = edges["weight"].to_numpy(dtype=float)
    incoming = sparse.csr_array((weight, (target, source)), shape=(len(nodes), len(nodes)))
    incoming.sort_indices()
    return Graph(nodes=nodes, incoming=incoming)


def read_one(inputs: Mapping[str, Any]) -> pd.DataFrame:
    """Edge table of a graph that is made from one other graph."""
    if len(inputs["graphs"]) != 1:
        raise InputError(f"a graph of this kind is made of one other graph, not {len(inputs['graphs'])} (of)")
    return read_table(inputs["graphs"][0])


def read_graph(path: str | Path) -> Graph:
    """Graph of an edge file written by the rule build_graph."""
    return graph_from_edges(read_table(path), str(path))
