"""Graph from an edge table of the user: links with a weight, a cut-off, and a direction if they have one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.network.graph import check_edges
from scarceseq.network.neighbours import read_gene_list
from scarceseq.user_tables import read_columns
from scarceseq.user_values import column_of_numbers

INPUTS = ("table",)
KEYS = ("path", "source_column", "target_column", "weight_column", "min_weight", "full_weight", "directed")


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Edges of the table at or above the cut-off, weights divided by `full_weight`.

    Links without direction give both directions; of parallel links the heaviest counts. Raises InputError for a missing
    column, or a weight that is no number or negative.
    """
    path = str(inputs["table"])
    columns = [settings["source_column"], settings["target_column"]]
    weighted = bool(settings["weight_column"])
    table = read_columns(path, columns + [settings["weight_column"]] * weighted)
    weight = column_of_numbers(table.iloc[:, 2], "weight", path) if weighted else np.ones(len(table))
    edges = pd.DataFrame({"source": table.iloc[:, 0], "target": table.iloc[:, 1], "weight": weight})
    zero = (edges["weight"] == 0).to_numpy()
    check_edges(edges[~zero], path)
    if not settings["directed"]:
        edges = pd.concat([edges, edges.rename(columns={"source": "target", "target": "source"})], ignore_index=True)
    counts = {"links": len(table), "links_of_weight_zero": int(zero.sum())}
    edges = edges[(edges["weight"] >= settings["min_weight"]) & (edges["weight"] > 0)]
    edges = edges[(edges["source"] != "") & (edges["target"] != "") & (edges["source"] != edges["target"])]
    wanted = read_gene_list(inputs.get("restriction"))
    if wanted is not None:
        edges = edges[edges["source"].isin(wanted) & edges["target"].isin(wanted)]
    edges = edges.groupby(["target", "source"], as_index=False, sort=True)["weight"].max()
    edges["weight"] = edges["weight"] / settings["full_weight"]
    if len(edges) and edges["weight"].max() > 1:
        raise InputError(
            f"{path}: a weight is {edges['weight'].max():.6g} times full_weight; set the graph's key full_weight to "
            "the weight of a certain link (STRING scores: 1000)"
        )
    return edges[["source", "target", "weight"]], counts
