"""Several graphs as one: every edge that one of them has, with the largest of its weights."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from scarceseq.files import read_table

INPUTS = ("graphs",)
KEYS = ("of",)


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Edges of all graphs `of`."""
    edges = pd.concat([read_table(path) for path in inputs["graphs"]], ignore_index=True)
    together = edges.groupby(["target", "source"], as_index=False, sort=True)["weight"].max()
    return together[["source", "target", "weight"]], {"edges_in_several": len(edges) - len(together)}
