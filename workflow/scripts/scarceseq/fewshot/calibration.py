"""Probabilities that mean what they say: one temperature, fitted where no held-out sample is seen."""

import numpy as np

from scarceseq.fewshot.numerics import softmax

# Standard deviation of log(temperature) before any sample is seen; it keeps a few right answers from making certainty.
PRIOR_DEVIATION = 0.5
WIDEST = np.log(20.0)
SMALLEST = 1e-12


def fit_temperature(probabilities: np.ndarray, classes: np.ndarray) -> float:
    """Temperature that makes predictions of samples that a fit did not see most probable (Guo et al. 2017).

    `probabilities` are (samples, classes), `classes` the true ones, int, (samples,). log(temperature) has a normal
    prior around 0. Above 1 where predictions were too sure.
    """
    from scipy.optimize import minimize_scalar

    def cost(log_temperature: float) -> float:
        of_true = calibrated(probabilities, np.exp(log_temperature))[np.arange(len(classes)), classes]
        return -np.log(np.maximum(of_true, SMALLEST)).sum() + (log_temperature / PRIOR_DEVIATION) ** 2 / 2

    return float(np.exp(minimize_scalar(cost, bounds=(-WIDEST, WIDEST), method="bounded").x))


def calibrated(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log(probabilities) / temperature), (samples, classes)."""
    return softmax(np.log(np.maximum(probabilities, SMALLEST)) / temperature)


def calibration_error(probability: np.ndarray, right: np.ndarray, bins: int = 5) -> float:
    """Expected calibration error: mean over samples of |share right - mean probability| in their bin.

    `probability`, (samples,), is that of the predicted class, `right`, (samples,), whether it is true. The bins are of
    equal width between 0 and 1.
    """
    probability, right = np.asarray(probability, float), np.asarray(right, float)
    place = np.minimum((probability * bins).astype(int), bins - 1)
    members = [place == each for each in np.unique(place)]
    return float(sum(inside.mean() * abs((probability - right)[inside].mean()) for inside in members))
