"""Co-expression graph from the control cells of a screen: no perturbed cell can shape it, so it serves every split."""

from collections.abc import Mapping
from typing import Any

import anndata
import numpy as np
import pandas as pd

from scarceseq.network.kinds.corpus_coexpression import correlation_edges
from scarceseq.seals import checked

INPUTS = ("cells",)
KEYS = ("screen", "min_correlation", "top_k")
MAX_CELLS = 10_000


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Edges between genes with |Pearson correlation| over control cells above a cut-off.

    ``cells``: log-normalised cells of a screen, obs ``perturbation``. At most `MAX_CELLS`, evenly spaced, are used.
    """
    data = anndata.read_h5ad(checked(inputs["cells"]), backed="r")
    control = np.flatnonzero(data.obs["perturbation"].to_numpy(dtype=str) == "control")
    used = control[np.unique(np.linspace(0, len(control) - 1, min(len(control), MAX_CELLS)).astype(int))]
    values = data[used].to_memory().X.toarray()
    data.file.close()
    varies = values.std(axis=0) > 1e-6
    symbols = data.var_names.to_numpy(dtype=str)[varies]
    edges = correlation_edges(values[:, varies], symbols, settings["min_correlation"], settings["top_k"])
    return edges, {"cells": len(used), "genes": int(varies.sum())}
