"""The effect measured elsewhere, and what it leaves by kernel ridge on graphs and embeddings.

    delta = a e + f,    f a Gaussian process with the kernel of `mean_kernel`;

e are the effects elsewhere (the mean perturbation where nothing is known), a is found by generalised least squares,
e' (K + noise)^-1 delta / e' (K + noise)^-1 e, summed over columns. How many perturbations of a new cell line must be
measured, and which, is asked of this model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve

from scarceseq.errors import InputError
from scarceseq.perturbation import process
from scarceseq.perturbation.contexts import filled
from scarceseq.perturbation.prior import Prior

NEEDS = ("contexts", "kernels")
KINDS = ("cells", "profiles", "coordinates")


@dataclass(frozen=True)
class Model:
    """What is learned."""

    slope: float  # a
    rest: process.Process  # f
    elsewhere: np.ndarray  # (perturbations, columns)


def prepare(prior: Prior) -> tuple[np.ndarray, sparse.csr_array]:
    """Effects elsewhere without gaps, and features of all perturbed genes."""
    if prior.contexts is None:
        raise InputError("predictor other_contexts_kernel: name other screens by the screen's key contexts")
    return filled(prior.contexts), process.prepare(prior)


def fit(delta: np.ndarray, rows: Sequence[int], prepared: tuple[np.ndarray, sparse.csr_array]) -> Model:
    """The slope, then the process of what it leaves."""
    elsewhere, features = prepared
    there = elsewhere[rows]
    whole = process.fit(delta, rows, features)
    weighted = cho_solve((whole.factor, True), there, check_finite=False)
    size = (there * weighted).sum()
    slope = float((weighted * delta).sum() / size) if size > 0 else 0.0
    return Model(slope, process.fit(delta - slope * there, rows, features), elsewhere)


def predict(model: Model, rows: Sequence[int]) -> np.ndarray:
    """Scaled effects elsewhere plus posterior means of the rest."""
    return model.slope * model.elsewhere[rows] + process.predict(model.rest, rows)
