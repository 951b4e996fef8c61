"""Intervals of means and shares."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


WITHIN = "corrected resampled t, within one study"


def corrected_interval(
    values: "Sequence[float] | np.ndarray | pd.Series", test_to_pool: float, confidence: float
) -> tuple[float, float, float, str]:
    """Mean, low, high of a t interval over random splits, which overlap, and how it was made; no bounds of one split.

    The variance of the mean of J splits is s^2 (1/J + n_test / n_train) instead of s^2 / J (Nadeau & Bengio 2003).
    `values` has one per split; `test_to_pool` is what is tested per what is learned from: perturbations of a screen,
    samples of a study.
    """
    array = np.asarray(values, dtype=float)
    mean = float(array.mean())
    error = float(corrected_error(array.std(ddof=1) if len(array) > 1 else np.nan, len(array), test_to_pool))
    half = float(half_width(error, len(array), confidence))
    return mean, mean - half, mean + half, derivation(len(array), confidence)


def corrected_error(deviation: "ArrayLike", splits: "ArrayLike", test_to_pool: "ArrayLike") -> np.ndarray:
    """Standard error of the mean over splits; array-like arguments are taken element by element."""
    return deviation * np.sqrt(1 / np.asarray(splits) + test_to_pool)


def half_width(error: "ArrayLike", splits: "ArrayLike", confidence: float) -> np.ndarray:
    """Half of the t interval's width, element by element; NaN for fewer than two splits."""
    splits = np.asarray(splits)
    return np.where(splits > 1, stats.t.ppf((1 + confidence) / 2, np.maximum(splits - 1, 1)) * error, np.nan)


def derivation(splits: int, confidence: float) -> str:
    """How an interval over splits was made, in words."""
    if splits < 2:
        return "none: one split"
    return f"{100 * confidence:g}% t over {splits} splits, corrected resampled variance"


def share_interval(right: float, total: float, confidence: float) -> tuple[float, float]:
    """Interval of a share by the binomial distribution (Clopper and Pearson 1934).

    Neither count need be whole: samples that go together in groups count as so many as there are groups.
    """
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(right, total, alpha=1 - confidence, method="beta")
    return float(low), float(high)


def mean_interval(values: Sequence[float], confidence: float = 0.95, least: int = 3) -> tuple[float, float]:
    """t interval of the mean of independent values; NaN for fewer than `least`."""
    array = np.asarray(values, dtype=float)
    if len(array) < least:
        return np.nan, np.nan
    half = stats.t.ppf((1 + confidence) / 2, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return float(array.mean() - half), float(array.mean() + half)
