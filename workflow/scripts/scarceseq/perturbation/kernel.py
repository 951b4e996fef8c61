"""Kernel ridge on prior knowledge of the perturbed genes: the mean, plus what similar genes did."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scarceseq.errors import InputError
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.ridge import fit_dual
from scarceseq.perturbation.walk import neighbourhood_cosine


@dataclass(frozen=True)
class Kernel:
    """Similarity of the perturbed genes, and which of them the graph or embedding covers."""

    values: np.ndarray  # (perturbations, perturbations), unit diagonal
    covered: np.ndarray  # (perturbations,), bool


@dataclass(frozen=True)
class Model:
    """What is learned: a mean profile and dual coefficients."""

    mean: np.ndarray  # (columns,)
    rows: np.ndarray  # training perturbations that are covered
    coefficients: np.ndarray  # (training perturbations that are covered, columns)
    ridge: float
    kernel: Kernel


def graph_kernel(prior: Prior) -> Kernel:
    """Cosine of the graph neighbourhoods of all perturbed genes.

    Raises
    ------
    InputError
        If the graph has none of the perturbed genes.
    """
    covered = prior.graph.positions(prior.perturbations) >= 0
    if not covered.any():
        raise InputError(
            "the prediction graph has none of the perturbed genes; check that both use the same gene symbols"
        )
    return Kernel(neighbourhood_cosine(prior.graph, prior.perturbations), covered)


def fit(delta: np.ndarray, rows: Sequence[int], kernel: Kernel) -> Model:
    """Mean, and dual ridge coefficients of what is left of it; the constant by leave-one-out error."""
    mean, inside = delta.mean(axis=0), kernel.covered[rows]
    used = rows[inside]
    coefficients, ridge = fit_dual(kernel.values[np.ix_(used, used)], delta[inside] - mean)
    return Model(mean, used, coefficients, ridge, kernel)


def predict(model: Model, rows: Sequence[int]) -> np.ndarray:
    """Mean plus the kernel-weighted coefficients; the mean for genes of which nothing is known."""
    return model.mean + model.kernel.values[np.ix_(np.asarray(rows), model.rows)] @ model.coefficients
