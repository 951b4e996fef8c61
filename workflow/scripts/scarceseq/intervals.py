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
    if len(values) < 2:
        return mean, float("nan"), float("nan"), "none: one split"
    variance = values.var(ddof=1) * (1 / len(values) + test_to_pool)
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * np.sqrt(variance))
    return (
        mean,
        mean - half,
        mean + half,
        f"{100 * confidence:g}% t over {len(values)} splits, corrected resampled variance",
    )
