"""How many genes by how many cells a fixed budget should buy, to know the effects of all candidates best.

A gene's effect is f = g + h: g from a Gaussian process on the kernel of the predictor `mean_kernel`, of unit variance,
and h its own, of the variance that the predictor takes for noise. A measurement of n cells adds the noise of one cell
over n. Then the expected error of all candidates, measured ones included, is the mean posterior variance of f.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from scarceseq.errors import InputError
from scarceseq.perturbation.process import NOISE

BLOCK = 2000


def expected_error(features: sparse.csr_array, chosen: np.ndarray, worth: np.ndarray, noise: float) -> float:
    """Mean posterior variance of the targets' effects, as a share of their prior variance.

    - `features` (genes, features): their inner products are the covariance of g
    - `chosen`: genes that are measured
    - `worth` (genes,): weight of each target in the mean; 0 for others
    - `noise`: variance of a measurement, where that of g is 1
    """
    prior = np.asarray(features.power(2).sum(axis=1)).ravel() + NOISE
    left = prior.copy()
    if len(chosen):
        rows = features[chosen]
        factor = cho_factor((rows @ rows.T).toarray() + (NOISE + noise) * np.eye(len(chosen)), lower=True)
        targets = np.flatnonzero(worth > 0)
        place = np.full(features.shape[0], -1)
        place[chosen] = np.arange(len(chosen))
        for start in range(0, len(targets), BLOCK):
            some = targets[start : start + BLOCK]
            cross = (rows @ features[some].T).toarray()
            itself = np.flatnonzero(place[some] >= 0)
            cross[place[some[itself]], itself] += NOISE
            left[some] -= np.einsum("ij,ij->j", cross, cho_solve(factor, cross))
    return float(worth @ left / (worth @ prior))


def affordable(genes: int, settings: dict) -> float:
    """Cells of each perturbation that the budget pays for, control cells apart."""
    cell = settings["cost_per_cell"] + settings["reads_per_cell"] / 1e6 * settings["cost_per_million_reads"]
    guides = genes * settings["guides"] * settings["cost_per_guide"]
    return (settings["budget"] - settings["control_cells"] * cell - guides) / (genes * cell)


def plan(
    features: sparse.csr_array,
    order: np.ndarray,
    worth: np.ndarray,
    noise_to_signal: float,
    settings: dict,
    numbers_of_genes: Sequence[int],
) -> pd.DataFrame:
    """Expected error for each number of genes, with as many cells of each as the budget buys.

    - `features`, `worth`: see `expected_error`
    - `order`: genes in the order in which the design takes them
    - `noise_to_signal`: variance of one cell over that of true effects
    - `settings`: the config's section ``design.cells``

    Returns columns genes, cells (of each), expected_error (percent of that without a measurement), best.
    Raises `InputError` if the budget does not buy the least number of cells of a single gene.
    """
    # Variance of one cell in units of g, where effects have the variance of g and h together.
    unit = noise_to_signal * (1 + NOISE)
    rows = []
    for genes in numbers_of_genes:
        cells = int(affordable(genes, settings))
        if cells >= settings["least_cells"] and genes <= len(order):
            error = expected_error(features, order[:genes], worth, unit * (1 / cells + 1 / settings["control_cells"]))
            rows.append({"genes": genes, "cells": cells, "expected_error": 100 * error})
    if not rows:
        raise InputError(
            f"config key design.cells.budget: {settings['budget']} does not buy {settings['least_cells']} cells of "
            f"{min(numbers_of_genes)} genes beside {settings['control_cells']} control cells"
        )
    table = pd.DataFrame(rows)
    return table.assign(best=table["expected_error"] == table["expected_error"].min())
