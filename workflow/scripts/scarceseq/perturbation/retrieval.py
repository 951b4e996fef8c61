"""Metrics by ranks and signs: is it the right perturbation, are they the right genes, do they move the right way."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scarceseq.perturbation.truth import Truth
from scarceseq.screen.agreement import mean_over


def discrimination(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """Perturbation discrimination score of the Virtual Cell Challenge (cell-eval): 1 - rank / perturbations.

    The rank (from 0) is that of the true profile among all true test profiles, by absolute distance to the prediction;
    the perturbed gene itself does not count. Ties share their ranks. 1/2 on average for a prediction that is the same
    for all, NaN for a single test perturbation.
    """
    return _discrimination(prediction, truth, lambda difference: np.abs(difference).sum(axis=1), 0)


def discrimination_absolute(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """The same with the sizes of all changes in place of the changes (cell-eval's absolute effects)."""
    return discrimination(np.abs(prediction), replace(truth, delta=np.abs(truth.delta)))


def centroid_accuracy(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """Share of the other test perturbations whose profile is further from the prediction than the true one (Systema).

    Euclidean distance, so that a rotation changes nothing; the perturbed gene itself does not count. Ties count half.
    """
    return _discrimination(prediction, truth, lambda difference: (difference**2).sum(axis=1), 1)


def _discrimination(
    prediction: np.ndarray, truth: Truth, distance: Callable[[np.ndarray], np.ndarray], less: int
) -> np.ndarray:
    count = len(truth.delta)
    if count < 2:
        return np.full(count, np.nan)
    accuracy = np.empty(count)
    for row in range(count):
        genes = truth.mask[row]
        distances = distance(truth.delta[:, genes] - prediction[row, genes])
        others = np.delete(distances, row)
        rank = (others < distances[row]).sum() + 0.5 * (others == distances[row]).sum()
        accuracy[row] = 1 - rank / (count - less)
    return accuracy


def wrong_direction(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """Share of the most differential, not silenced genes whose predicted sign is opposite (GEARS).

    A prediction of no change is not opposite. NaN where there is no such gene.
    """
    return mean_over(truth.top_non_dropout, np.sign(prediction) * np.sign(truth.delta) < 0)


def differential_recall(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """Share of the k most differential genes among the k strongest predicted changes, k the number of the former.

    Ties at the k-th place share what is left, so that no change at all recalls what chance does.
    """
    size = np.where(truth.mask, np.abs(prediction), -np.inf)
    wanted = truth.top.sum(axis=1)
    recall = np.full(len(size), np.nan)
    for row in np.flatnonzero(wanted):
        limit = np.partition(size[row], -wanted[row])[-wanted[row]]
        above, level = size[row] > limit, size[row] == limit
        share = (wanted[row] - above.sum()) / level.sum()
        recalled = (above & truth.top[row]).sum() + share * (level & truth.top[row]).sum()
        recall[row] = recalled / wanted[row]
    return recall
