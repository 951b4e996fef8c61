"""A small screen of counts, and settings to read it by."""

import anndata
import numpy as np
import pandas as pd
from scarceseq.screen.settings import ScreenSettings
from scipy import sparse

SETTINGS = {
    "kind": "cells",
    "transductive": False,
    "control": "NT",
    "exclude": [],
    "old_symbol_column": "old",
    "new_symbol_column": "new",
    "splits": 3,
    "test_share": 0.34,
    "perturbation_column": "target",
    "gene_symbol_column": None,
    "values": "counts",
    "target_sum": 10_000,
    "layer": None,
    "batch_column": None,
    "keep_cells": {},
    "target_quantile": 0.1,
    "drop_cells_expressing_target": False,
    "drop_escaped_cells": False,
    "differential_test": "t_test",
    "min_cells": 10,
    "highly_variable_genes": 0,
    "top_differential_genes": 3,
    "split_halves": 2,
    "name_key": "perturbation",
    "delta_key": "delta",
}


def settings(**changes):
    return ScreenSettings(**SETTINGS | changes)


def make_screen(labels, genes=12, seed=0, raised=None):
    """Counts of cells; perturbation P of `raised` {P: gene} multiplies one gene's rate."""
    generator = np.random.default_rng(seed)
    rate = np.tile(generator.uniform(2, 20, genes), (len(labels), 1))
    for row, label in enumerate(labels):
        if label in (raised or {}):
            rate[row, raised[label]] *= 6
    data = anndata.AnnData(sparse.csr_matrix(generator.poisson(rate).astype(np.float32)))
    data.var_names = [f"G{gene}" for gene in range(genes)]
    data.obs["target"] = pd.Categorical(labels)
    return data


def write_screen(folder):
    """Control, three perturbations, and cells to set aside: a combination, too few, an excluded label, none."""
    labels = (
        ["NT"] * 60 + ["G1"] * 40 + ["G2"] * 40 + ["G3"] * 30 + ["G1+G2"] * 12 + ["G4"] * 4 + ["odd"] * 11 + [None] * 5
    )
    make_screen(labels, raised={"G1": 5, "G2": 6}).write_h5ad(folder / "screen.h5ad")
    return folder / "screen.h5ad"
