"""Ridge regression on graph features: genes with similar neighbourhoods are expected to have similar effects.

The features of a gene are its row of the symmetric-normalised graph with self loops, scaled to length one; ridge on
them is kernel ridge on the cosine of two genes' neighbourhoods, plus the mean of the training perturbations. The ridge
constant is chosen by leave-one-out error among the training perturbations. Genes that the graph does not have get the
mean.
"""

from dataclasses import dataclass

import numpy as np

from scarceseq.errors import InputError
from scarceseq.perturbation.ridge import fit_dual
from scarceseq.perturbation.walk import neighbourhood_cosine

NEEDS = ("graph",)
KINDS = ("cells", "coordinates")


@dataclass(frozen=True)
class Features:
    """Kernel between perturbed genes, and which of them the graph has."""

    kernel: np.ndarray  # (genes, genes)
    known: np.ndarray  # (genes,), bool


@dataclass(frozen=True)
class Model:
    """What is learned: a mean profile and dual coefficients."""

    mean: np.ndarray  # (columns,)
    rows: np.ndarray  # training genes that the graph has
    coefficients: np.ndarray  # (training genes that the graph has, columns)
    ridge: float
    features: Features


def prepare(prior):
    """Cosine of the neighbourhoods of all perturbed genes.

    Raises
    ------
    InputError
        If the graph has none of the perturbed genes.
    """
    known = prior.graph.positions(prior.perturbations) >= 0
    if not known.any():
        raise InputError(
            "the prediction graph has none of the perturbed genes; check that both use the same gene symbols"
        )
    return Features(kernel=neighbourhood_cosine(prior.graph, prior.perturbations), known=known)


def fit(delta, rows, features):
    """Mean, and dual ridge coefficients of what is left of it."""
    mean = delta.mean(axis=0)
    inside = features.known[rows]
    used = rows[inside]
    coefficients, ridge = fit_dual(features.kernel[np.ix_(used, used)], delta[inside] - mean)
    return Model(mean=mean, rows=used, coefficients=coefficients, ridge=ridge, features=features)


def predict(model, rows):
    """Mean plus the kernel-weighted coefficients."""
    return model.mean + model.features.kernel[np.ix_(rows, model.rows)] @ model.coefficients
