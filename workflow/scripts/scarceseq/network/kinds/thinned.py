"""Control: another graph with a random share of its links removed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.network.graph import read_one

INPUTS = ("graphs",)
KEYS = ("of", "removed_share")


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Edges of the graph `of` without `removed_share` of its links; both directions of a link go or stay together."""
    edges = read_one(inputs)
    ends = np.sort(edges[["source", "target"]].to_numpy(dtype=str), axis=1)
    link = np.unique(ends, axis=0, return_inverse=True)[1].ravel()
    count = link.max() + 1
    removed = np.random.default_rng(settings["seed"]).permutation(count)[: round(settings["removed_share"] * count)]
    return edges[~np.isin(link, removed)], {"links": int(count), "links_removed": len(removed)}
