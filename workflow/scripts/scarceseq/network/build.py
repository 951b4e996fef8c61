"""Build one gene graph and say what it is."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scarceseq import registry
from scarceseq.files import sha256
from scarceseq.joins import Join, check_join, match_names
from scarceseq.network.graph import graph_from_edges
from scarceseq.network.neighbours import read_gene_list
from scarceseq.seeds import derive

log = logging.getLogger(__name__)


def build_graph(
    name: str, settings: Mapping[str, Any], inputs: Mapping[str, Any], seed: int = 0
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Edges (source, target, weight) of one graph of the config, sorted by target and source, and its summary for JSON.

    `settings` are the graph's section of the config, with its ``kind``; `inputs` the files that the kind reads (its
    ``INPUTS``), and optionally ``restriction``; `seed` is for kinds that draw at random.
    """
    kind = registry.load("network.kinds", settings["kind"])
    edges, counts = kind.build(settings | {"seed": derive(seed, "graph", name)}, inputs)
    graph = graph_from_edges(edges, f"graph '{name}'")
    edges = edges.sort_values(["target", "source"], ignore_index=True)
    summary = {
        "kind": settings["kind"],
        "nodes": len(graph.nodes),
        "edges": int(graph.incoming.nnz),
        "in_degree": quantiles(np.diff(graph.incoming.indptr)),
        "out_degree": quantiles(np.bincount(graph.incoming.indices, minlength=len(graph.nodes))),
        "weight": quantiles(graph.incoming.data),
        "provenance": {
            "settings": {key: settings[key] for key in (*kind.KEYS, "genes") if settings.get(key) not in (None, "")},
            "counts": counts,
            "sha256": {key: hashes(paths) for key, paths in sorted(inputs.items())},
        },
    }
    log.info("graph %s: %d nodes, %d edges", name, summary["nodes"], summary["edges"])
    return edges, summary


def gene_joins(edges: pd.DataFrame, inputs: Mapping[str, Any]) -> list[Join]:
    """Genes of the list that a graph is restricted to, matched with those of the graph; none without a list.

    `inputs` are as for `build_graph`. Raises InputError if no gene of the list is in the graph.
    """
    wanted = read_gene_list(inputs.get("restriction"))
    if wanted is None:
        return []
    nodes = sorted({*edges["source"], *edges["target"]})
    what = "genes of the list to those of the graph"
    return [check_join(match_names(sorted(wanted), nodes, what, str(inputs["restriction"]), any_case=False))]


def hashes(paths: str | Path | Sequence[str | Path]) -> str | list[str]:
    """SHA-256 of one file, or of each of several."""
    return sha256(paths) if isinstance(paths, (str, Path)) else [sha256(path) for path in paths]


def quantiles(values: ArrayLike) -> dict[str, float]:
    """Smallest, median, mean and largest value."""
    values = np.asarray(values)
    return {
        "min": float(np.min(values)),
        "median": float(np.median(values)),
        "mean": round(float(np.mean(values)), 6),
        "max": float(np.max(values)),
    }
