"""Metrics of predicted differences to control, each defined for the kinds of screen that can carry it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scarceseq.perturbation.ranking import differential_auprc, differential_auroc, spearman
from scarceseq.perturbation.retrieval import (
    centroid_accuracy,
    differential_recall,
    discrimination,
    discrimination_absolute,
    wrong_direction,
)
from scarceseq.perturbation.truth import Truth
from scarceseq.screen.agreement import correlation, cosine, mean_over, mean_squared_error

ON_COORDINATES = {"coordinates": "coordinates are not genes: a rotation would change it"}
NO_CELLS = "not possible without cells: which genes are differentially expressed cannot be told"
WITHOUT_CELLS = {"coordinates": NO_CELLS, "profiles": NO_CELLS}


def unknown(truth: Truth) -> np.ndarray:
    """No value is known."""
    return np.full(len(truth.delta), np.nan)


@dataclass(frozen=True)
class Metric:
    """One metric: its value per perturbation, the value of a perfect prediction, and what it is defined for."""

    higher_is_better: bool
    value: Callable[[np.ndarray, Truth], np.ndarray]  # (prediction, truth) -> (perturbations,)
    undefined: dict[str, str]  # kind of screen -> reason
    ceiling: Callable[[Truth], np.ndarray] = unknown  # in closed form; otherwise it is simulated

    @property
    def perfect(self) -> float:
        """Value of a perfect prediction: every error is 0, every agreement 1."""
        return 1.0 if self.higher_is_better else 0.0


def pearson_ceiling(column: str) -> Callable[[Truth], np.ndarray]:
    """Highest expected correlation with the measured profile, sqrt(2 r / (1 + r)) for split-half correlation r."""

    def ceiling(truth: Truth) -> np.ndarray:
        if column not in truth.reliability:
            return unknown(truth)
        half = np.clip(truth.reliability[column], 0, 1)
        return np.sqrt(2 * half / (1 + half))

    return ceiling


def noise_over(genes: str) -> Callable[[Truth], np.ndarray]:
    """Least expected squared error over some genes: the noise of the measured profile, from its split halves.

    For chosen genes it is a little low, since the same cells chose them.
    """

    def ceiling(truth: Truth) -> np.ndarray:
        if truth.noise is None:
            return unknown(truth)
        return mean_squared_error(np.sqrt(truth.noise), 0.0, getattr(truth, genes))

    return ceiling


def squared_error_ceiling(truth: Truth) -> np.ndarray:
    """Least expected squared error: the noise of the measured profile, a quarter of the halves' squared difference."""
    return truth.reliability["half_squared_error"] / 4 if "half_squared_error" in truth.reliability else unknown(truth)


def weighted_noise(truth: Truth) -> np.ndarray:
    """Least expected weighted squared error."""
    return unknown(truth) if truth.noise is None else (truth.weights * truth.noise).sum(axis=1)


def squared_error_over(genes: str) -> Callable[[np.ndarray, Truth], np.ndarray]:
    """Squared error over the genes of one mask of the truth."""
    return lambda prediction, truth: mean_squared_error(prediction, truth.delta, getattr(truth, genes))


def correlation_over(genes: str, around_mean: bool = False) -> Callable[[np.ndarray, Truth], np.ndarray]:
    """Correlation over the genes of one mask, of differences to control or to the mean perturbation of the pool."""

    def value(prediction: np.ndarray, truth: Truth) -> np.ndarray:
        reference = truth.reference if around_mean else 0.0
        return correlation(prediction - reference, truth.delta - reference, getattr(truth, genes))

    return value


def absolute_error(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """Mean absolute error over the genes that count; NaN where none counts."""
    return mean_over(truth.mask, np.abs(prediction - truth.delta))


def weighted_r2(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """Weighted coefficient of determination of differences to the mean perturbation (Mejia et al. 2025).

    Genes weigh by their score against all other perturbations, and so does the mean that the variance is around. NaN
    without test statistics, or where the weighted profile does not vary.
    """
    weights = truth.weights_others
    if weights is None:
        return unknown(truth)
    measured, predicted = truth.delta - truth.reference, prediction - truth.reference
    mean = (weights * measured).sum(axis=1, keepdims=True)
    around = (weights * (measured - mean) ** 2).sum(axis=1)
    error = (weights * (measured - predicted) ** 2).sum(axis=1)
    return 1 - np.divide(error, around, out=np.full(len(error), np.nan), where=around > 0)


def weighted_squared_error(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """Squared error with more weight on genes that respond; NaN without test statistics."""
    if truth.weights is None:
        return unknown(truth)
    return (truth.weights * (prediction - truth.delta) ** 2).sum(axis=1)


METRICS = {
    "mse": Metric(False, squared_error_over("mask"), {}, squared_error_ceiling),
    "mae": Metric(False, absolute_error, ON_COORDINATES),
    "mse_top": Metric(False, squared_error_over("top"), WITHOUT_CELLS, noise_over("top")),
    "mse_top_non_dropout": Metric(
        False, squared_error_over("top_non_dropout"), WITHOUT_CELLS, noise_over("top_non_dropout")
    ),
    "weighted_mse": Metric(False, weighted_squared_error, WITHOUT_CELLS, weighted_noise),
    "weighted_r2_delta": Metric(True, weighted_r2, WITHOUT_CELLS),
    "pearson_delta": Metric(True, correlation_over("mask"), ON_COORDINATES, pearson_ceiling("reliability")),
    "pearson_delta_top": Metric(True, correlation_over("top"), WITHOUT_CELLS),
    "pearson_delta_top_non_dropout": Metric(True, correlation_over("top_non_dropout"), WITHOUT_CELLS),
    "pearson_delta_perturbed_mean": Metric(
        True, correlation_over("mask", around_mean=True), ON_COORDINATES, pearson_ceiling("reliability_centred")
    ),
    "pearson_delta_perturbed_mean_top": Metric(True, correlation_over("top", around_mean=True), WITHOUT_CELLS),
    "spearman_delta": Metric(True, spearman, ON_COORDINATES),
    "wrong_direction": Metric(False, wrong_direction, WITHOUT_CELLS),
    "discrimination": Metric(True, discrimination, ON_COORDINATES),
    "discrimination_absolute": Metric(True, discrimination_absolute, ON_COORDINATES),
    "centroid_accuracy": Metric(True, centroid_accuracy, {}),
    "differential_recall": Metric(True, differential_recall, WITHOUT_CELLS),
    "differential_auprc": Metric(True, differential_auprc, WITHOUT_CELLS),
    "differential_auroc": Metric(True, differential_auroc, WITHOUT_CELLS),
    "cosine": Metric(True, lambda prediction, truth: cosine(prediction, truth.delta, truth.mask), {}),
}
MEANINGS = {
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "mse_top": "the same over the most differential genes",
    "mse_top_non_dropout": "the same over the most differential genes that are not silent in the perturbed cells alone",
    "weighted_mse": "squared error, genes weighted by their test statistic",
    "weighted_r2_delta": "explained share of the difference to the mean perturbation, genes weighted by their test "
    "statistic against all other perturbations",
    "pearson_delta": "correlation of differences to control",
    "pearson_delta_top": "the same over the most differential genes",
    "pearson_delta_top_non_dropout": "the same over those not silent in the perturbed cells alone",
    "pearson_delta_perturbed_mean": "correlation of differences to the mean perturbation",
    "pearson_delta_perturbed_mean_top": "the same over the most differential genes",
    "spearman_delta": "rank correlation of differences to control, which are log-fold changes",
    "wrong_direction": "share of the most differential genes predicted to move the other way",
    "discrimination": "rank of the true among all test perturbations by absolute distance (PDS)",
    "discrimination_absolute": "the same by the sizes of the changes, whatever their signs",
    "centroid_accuracy": "share of the other test perturbations that are further from the prediction than the true one",
    "differential_recall": "share of the most differential genes among as many strongest predicted changes (overlap at "
    "N)",
    "differential_auprc": "area under the precision-recall curve of the most differential genes by the size of the "
    "predicted change",
    "differential_auroc": "area under the ROC curve of the most differential genes by the size of the predicted change",
    "cosine": "cosine of differences to control",
}


def defined_for(kind: str) -> dict[str, Metric]:
    """Metrics that a kind of screen can carry, by name."""
    return {name: metric for name, metric in METRICS.items() if kind not in metric.undefined}
