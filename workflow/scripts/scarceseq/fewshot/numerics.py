"""Arithmetic that several features and classifiers share; all on arrays of (samples, features)."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence

import numpy as np


def class_means(support: np.ndarray, support_classes: np.ndarray) -> np.ndarray:
    """Mean of each class, (classes, features)."""
    return np.stack([support[support_classes == c].mean(axis=0) for c in range(support_classes.max() + 1)])


def from_group_means(values: np.ndarray, groups: Sequence[str] | np.ndarray) -> np.ndarray:
    """Each sample minus the mean of its group; `groups` has a name for each sample."""
    _, places = np.unique(groups, return_inverse=True)
    return values - class_means(values, places)[places]


def unit_length(values: np.ndarray) -> np.ndarray:
    """Each sample brought to length 1."""
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)


def squared_distances(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Squared distance of each sample of `one` to each of `two`."""
    return ((one[:, None, :] - two[None]) ** 2).sum(axis=2)


def in_span(support: np.ndarray, query: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of both in the span of the support, if it has more features than samples; else both as they are.

    A linear model with a squared penalty has its weights in that span, whatever its loss, so that nothing is lost; with
    20,000 genes a fit then takes a thousandth of the time.
    """
    if support.shape[1] <= len(support):
        return support, query
    basis = np.linalg.qr(support.T)[0]
    return support @ basis, query @ basis


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities, (..., classes)."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def within_sample_ranks(features: np.ndarray) -> np.ndarray:
    """Ranks of features within each sample, evenly from -1 to 1; equal features share the mean of theirs."""
    from scipy.stats import rankdata

    return 2 * (rankdata(features, axis=1) - 1) / max(features.shape[1] - 1, 1) - 1


@contextlib.contextmanager
def no_convergence_warning() -> Iterator[None]:
    """Fits of a few samples may stop before they are polished; that they did is no news."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
