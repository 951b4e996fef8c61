"""Control: another graph with its genes shuffled. What still works on it does not work by biology."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.network.graph import read_one

INPUTS = ("graphs",)
KEYS = ("of",)


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Edges of the graph `of`, each gene under the name of a random other one."""
    edges = read_one(inputs)
    genes = np.unique(edges[["source", "target"]].to_numpy(dtype=str))
    names = dict(zip(genes, np.random.default_rng(settings["seed"]).permutation(genes), strict=True))
    return edges.assign(source=edges["source"].map(names), target=edges["target"].map(names)), {}
