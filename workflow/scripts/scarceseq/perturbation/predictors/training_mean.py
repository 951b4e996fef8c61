"""The mean of the training perturbations, whatever is perturbed: what a useful model has to beat."""

import numpy as np

NEEDS = ()
KINDS = ("cells", "coordinates")


def prepare(prior):
    """Nothing to prepare."""
    return None


def fit(delta, rows, features):
    """Mean profile, shape (columns,)."""
    return delta.mean(axis=0)


def predict(model, rows):
    """The mean, once per perturbation."""
    return np.broadcast_to(model, (len(rows), len(model)))
