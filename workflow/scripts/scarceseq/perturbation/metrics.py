"""Metrics of predicted differences to control, each defined for the kinds of screen that can carry it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scarceseq.perturbation.retrieval import centroid_accuracy, differential_recall, discrimination, wrong_direction
from scarceseq.perturbation.truth import read_truth
from scarceseq.screen.agreement import correlation, cosine, mean_squared_error

if TYPE_CHECKING:
    from scarceseq.perturbation.truth import Truth

__all__ = ["METRICS", "Metric", "defined_for", "read_truth"]

ON_COORDINATES = "coordinates are not genes: a rotation would change it"
NO_CELLS = "no cells, hence no differentially expressed genes"


@dataclass(frozen=True)
class Metric:
    """One metric: its value and its ceiling, per perturbation."""

    higher_is_better: bool
    value: Callable  # (prediction, Truth) -> (perturbations,)
    ceiling: Callable  # (Truth) -> (perturbations,), NaN where not known
    undefined: dict  # kind of screen -> reason
    meaning: str


def unknown(truth: "Truth") -> np.ndarray:
    """No ceiling is known."""
    return np.full(len(truth.delta), np.nan)


def pearson_ceiling(column: str) -> "Callable[[Truth], np.ndarray]":
    """Highest expected correlation with the measured profile, sqrt(2 r / (1 + r)) for split-half correlation r."""

    def ceiling(truth: "Truth") -> np.ndarray:
        if column not in truth.reliability:
            return unknown(truth)
        half = np.clip(truth.reliability[column], 0, 1)
        return np.sqrt(2 * half / (1 + half))

    return ceiling


def noise_over(genes: str) -> "Callable[[Truth], np.ndarray]":
    """Least expected squared error over some genes: the noise of the measured profile, from its split halves.

    For chosen genes it is a little low, since the same cells chose them.
    """

    def ceiling(truth: "Truth") -> np.ndarray:
        if truth.noise is None:
            return unknown(truth)
        return mean_squared_error(np.sqrt(truth.noise), 0.0, getattr(truth, genes))

    return ceiling


def squared_error_ceiling(truth: "Truth") -> np.ndarray:
    """Least expected squared error: the noise of the measured profile, a quarter of the halves' squared difference."""
    return truth.reliability["half_squared_error"] / 4 if "half_squared_error" in truth.reliability else unknown(truth)


def weighted_noise(truth: "Truth") -> np.ndarray:
    """Least expected weighted squared error."""
    return unknown(truth) if truth.noise is None else (truth.weights * truth.noise).sum(axis=1)


def squared_error_over(genes: str) -> "Callable[[np.ndarray, Truth], np.ndarray]":
    """Squared error over the genes of one mask of the truth."""
    return lambda prediction, truth: mean_squared_error(prediction, truth.delta, getattr(truth, genes))


def correlation_over(genes: str, around_mean: bool = False) -> "Callable[[np.ndarray, Truth], np.ndarray]":
    """Correlation over the genes of one mask, of differences to control or to the mean perturbation of the pool."""

    def value(prediction: np.ndarray, truth: "Truth") -> np.ndarray:
        reference = truth.reference if around_mean else 0.0
        return correlation(prediction - reference, truth.delta - reference, getattr(truth, genes))

    return value


def weighted_squared_error(prediction: np.ndarray, truth: "Truth") -> np.ndarray:
    """Squared error with more weight on genes that respond; NaN without test statistics."""
    if truth.weights is None:
        return unknown(truth)
    return (truth.weights * (prediction - truth.delta) ** 2).sum(axis=1)


METRICS = {
    "mse": Metric(False, squared_error_over("mask"), squared_error_ceiling, {}, "mean squared error"),
    "mse_top": Metric(
        False,
        squared_error_over("top"),
        noise_over("top"),
        {"coordinates": NO_CELLS},
        "the same over the most differential genes",
    ),
    "mse_top_non_dropout": Metric(
        False,
        squared_error_over("top_non_dropout"),
        noise_over("top_non_dropout"),
        {"coordinates": NO_CELLS},
        "the same over the most differential genes that are not silent in the perturbed cells alone",
    ),
    "weighted_mse": Metric(
        False,
        weighted_squared_error,
        weighted_noise,
        {"coordinates": NO_CELLS},
        "squared error, genes weighted by their test statistic",
    ),
    "pearson_delta": Metric(
        True,
        correlation_over("mask"),
        pearson_ceiling("reliability"),
        {"coordinates": ON_COORDINATES},
        "correlation of differences to control",
    ),
    "pearson_delta_top": Metric(
        True,
        correlation_over("top"),
        unknown,
        {"coordinates": NO_CELLS},
        "the same over the most differential genes",
    ),
    "pearson_delta_top_non_dropout": Metric(
        True,
        correlation_over("top_non_dropout"),
        unknown,
        {"coordinates": NO_CELLS},
        "the same over those not silent in the perturbed cells alone",
    ),
    "pearson_delta_perturbed_mean": Metric(
        True,
        correlation_over("mask", around_mean=True),
        pearson_ceiling("reliability_centred"),
        {"coordinates": ON_COORDINATES},
        "correlation of differences to the mean perturbation",
    ),
    "pearson_delta_perturbed_mean_top": Metric(
        True,
        correlation_over("top", around_mean=True),
        unknown,
        {"coordinates": NO_CELLS},
        "the same over the most differential genes",
    ),
    "wrong_direction": Metric(
        False,
        wrong_direction,
        unknown,
        {"coordinates": NO_CELLS},
        "share of the most differential genes predicted to move the other way",
    ),
    "discrimination": Metric(
        True,
        discrimination,
        unknown,
        {"coordinates": ON_COORDINATES},
        "rank of the true among all test perturbations by absolute distance (PDS)",
    ),
    "centroid_accuracy": Metric(
        True,
        centroid_accuracy,
        unknown,
        {},
        "share of the other test perturbations that are further from the prediction than the true one",
    ),
    "differential_recall": Metric(
        True,
        differential_recall,
        unknown,
        {"coordinates": NO_CELLS},
        "share of the most differential genes among as many strongest predicted changes",
    ),
    "cosine": Metric(
        True,
        lambda prediction, truth: cosine(prediction, truth.delta, truth.mask),
        unknown,
        {"cells": "on genes the correlation of differences is given"},
        "cosine of differences to control",
    ),
}


def defined_for(kind: str) -> dict[str, Metric]:
    """Metrics that a kind of screen can carry, by name."""
    return {name: metric for name, metric in METRICS.items() if kind not in metric.undefined}
