"""Bilinear model Y = G W P' + b of Ahlmann-Eltze, Huber & Anders (Nature Methods 2025).

Y holds the training perturbations in its columns, b is their mean. G are the genes' scores on the leading principal
components of Y, P the rows of G that belong to the perturbed genes: a knock-down is described by how its target moves
in the other knock-downs. With a ridge constant on both sides,

    W = (G'G + c I)^-1 G' (Y - b) P (P'P + c I)^-1.

The scores have unit variance here, so that the constant means the same on every screen; number of components and
constant are those of the paper. A perturbed gene that was not measured gets the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scarceseq.perturbation.prior import Prior

NEEDS = ()
KINDS = ("cells", "profiles")
COMPONENTS = 10
RIDGE = 0.1


@dataclass(frozen=True)
class Model:
    """What is learned."""

    mean: np.ndarray  # (genes,)
    genes: np.ndarray  # (genes, components), G
    weights: np.ndarray  # (components, components), W
    place: np.ndarray  # (perturbations,), column of the perturbed gene, -1 where it was not measured


def prepare(prior: Prior) -> np.ndarray:
    """Column of each perturbed gene, -1 where it was not measured."""
    return pd.Index(prior.columns).get_indexer(pd.Index(prior.perturbations))


def fit(delta: np.ndarray, rows: Sequence[int], place: np.ndarray) -> Model:
    """Mean, components and their weights."""
    mean = delta.mean(axis=0)
    genes = gene_components(delta)
    used = place[rows] >= 0
    perturbed = genes[place[rows[used]]]
    return Model(mean, genes, bilinear_weights((delta[used] - mean).T, genes, perturbed), place)


def gene_components(delta: np.ndarray) -> np.ndarray:
    """Scores of genes (rows) on the leading principal components of the profiles, with unit variance."""
    centred = delta.T - delta.T.mean(axis=0)
    vectors, size, _ = np.linalg.svd(centred, full_matrices=False)
    count = min(COMPONENTS, int((size > 1e-9 * max(size[0], 1e-300)).sum()))
    return vectors[:, :count] * np.sqrt(len(vectors))


def bilinear_weights(targets: np.ndarray, genes: np.ndarray, perturbed: np.ndarray) -> np.ndarray:
    """W of the module's formula from Y - b, (genes, perturbations), G and P, with components as their columns."""
    identity = RIDGE * np.eye(genes.shape[1])
    left = np.linalg.solve(genes.T @ genes + identity, genes.T @ targets @ perturbed)
    return np.linalg.solve(perturbed.T @ perturbed + identity, left.T).T


def predict(model: Model, rows: Sequence[int]) -> np.ndarray:
    """Mean plus G W p for each perturbed gene that was measured."""
    place = model.place[rows]
    vectors = np.where(place[:, None] >= 0, model.genes[place], 0.0)
    return model.mean + vectors @ (model.genes @ model.weights).T
