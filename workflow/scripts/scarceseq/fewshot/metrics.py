"""Measures of one episode."""

import numpy as np

SMALLEST_PROBABILITY = 1e-7


def balanced_accuracy(labels, predicted):
    """Mean over the classes of the share of their samples that are predicted right."""
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    return float(np.mean([(predicted[labels == label] == label).mean() for label in np.unique(labels)]))


def log_loss(probabilities):
    """Mean of -log(probability of the true class), probabilities bounded below by 1e-7."""
    return float(-np.log(np.clip(probabilities, SMALLEST_PROBABILITY, 1.0)).mean())
