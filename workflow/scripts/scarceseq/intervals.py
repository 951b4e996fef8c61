"""Intervals over random splits of one screen, which overlap and so are not independent."""

import numpy as np
from scipy import stats


def corrected_interval(values, test_to_pool, confidence):
    """Mean and t-interval with the corrected resampled variance.

    The variance of the mean of J splits is s^2 (1/J + n_test / n_train) instead of s^2 / J (Nadeau & Bengio 2003).

    Parameters
    ----------
    values : sequence of float
        One per split.
    test_to_pool : float
        Test perturbations per pool perturbation.
    confidence : float

    Returns
    -------
    (float, float, float, str)
        Mean, low, high, and how the interval was made. NaN bounds for fewer than two splits.
    """
    values = np.asarray(values, dtype=float)
    mean = float(values.mean())
    error = float(corrected_error(values.std(ddof=1) if len(values) > 1 else np.nan, len(values), test_to_pool))
    half = float(half_width(error, len(values), confidence))
    return mean, mean - half, mean + half, method(len(values), confidence)


def corrected_error(deviation, splits, test_to_pool):
    """Standard error of the mean over splits; array-like arguments are taken element by element."""
    return deviation * np.sqrt(1 / np.asarray(splits) + test_to_pool)


def half_width(error, splits, confidence):
    """Half of the t-interval's width; NaN for fewer than two splits."""
    splits = np.asarray(splits)
    return np.where(splits > 1, stats.t.ppf((1 + confidence) / 2, np.maximum(splits - 1, 1)) * error, np.nan)


def method(splits, confidence):
    """How an interval was made, in words."""
    if splits < 2:
        return "none: one split"
    return f"{100 * confidence:g}% t over {splits} splits, corrected resampled variance"
