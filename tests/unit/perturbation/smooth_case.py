"""A screen whose effects follow its graph: five families of genes, each with one effect."""

import anndata
import numpy as np
import pandas as pd
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.training_cells import Cells
from scarceseq.screen.splits import split_perturbations
from scipy import sparse

GENES = np.array([f"G{index:02d}" for index in range(30)])
COLUMNS = np.array([f"C{index:02d}" for index in range(20)])
SETTINGS = {"mode": "moments", "epochs": 2, "steps_per_epoch": 5, "batch": 6, "hidden": 8, "learning_rate": 3e-3}


def smooth_screen(seed=0, cells=16):
    """Five families of genes; the graph joins each family, whose members have one effect."""
    generator = np.random.default_rng(seed)
    family = np.arange(30) % 5
    effect = 2 * generator.normal(size=(5, 20))[family]
    condition = np.repeat(np.arange(31), [5 * cells, *[cells] * 30])
    common = generator.normal(size=(len(condition), 1)) * (np.arange(20) < 6)
    mean = 4 + np.vstack([np.zeros(20), effect])[condition]
    values = np.maximum(mean + common + 0.3 * generator.normal(size=mean.shape), 0).astype(np.float32)
    batch = generator.integers(2, size=len(condition))
    edges = [(a, b, 0.6) for a in range(30) for b in range(30) if a != b and family[a] == family[b]]
    frame = pd.DataFrame(
        [(GENES[a], GENES[b], weight) for a, b, weight in edges], columns=["source", "target", "weight"]
    )
    return Cells(sparse.csr_matrix(values), condition, batch), graph_from_edges(frame)


def make_prior(cells, graph, **settings):
    return Prior(GENES, COLUMNS, graph, cells=cells, settings=SETTINGS | settings)


def profiles_of(cells):
    means = np.stack([cells.expression[cells.condition == k].toarray().mean(axis=0) for k in range(31)])
    data = anndata.AnnData((means[1:] - means[0]).astype(np.float32))
    data.obs_names, data.var_names, data.uns = GENES, COLUMNS, {"kind": "cells", "transductive": False}
    return data


def screen_of(cells):
    empty = pd.DataFrame({"perturbation": [], "gene": [], "rank": [], "rank_non_dropout": []})
    return {"profiles": profiles_of(cells), "differential": empty, "splits": split_perturbations(GENES, 3, 0.3, 1)}
