"""One answer from many studies: differences pooled over series, a series being a laboratory or a paper.

Studies of one series share animals, staff and protocol, so that the series is the unit: episodes are averaged within
tasks, tasks within series, and series count alike.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from scarceseq.statistics.crossed import LEAST_STUDIES, crossed_interval
from scarceseq.statistics.outcomes import Outcome, outcome

WIDEST = 0.012
"""Half-width of an interval up to which it may say that there is no difference, in balanced accuracy."""
MOST_SERIES = 10_000
VARIANCE_FLOOR = 0.1
"""Least variance of a series' mean, in medians of those above 0: a series without any difference has none."""


@dataclass(frozen=True)
class Pooled:
    """A difference pooled over series: their mean and its t interval (NaN bounds with fewer than three series).

    `zero_series`: series in which every difference is 0, as both methods are at the ceiling, or alike. `outcome`: from
    `pooled_outcome`. `series_needed`: series that an interval of half-width `WIDEST` would take, as widely as these
    differ; 0 if no number is known. `random_effects`: estimate, low, high of the random-effects mean; NaN if it cannot
    be computed. `without_fold`: least and largest difference when the series of each fold are left out.
    """

    difference: float
    low: float
    high: float
    series: int
    zero_series: int
    outcome: Outcome
    series_needed: int
    random_effects: tuple[float, float, float]
    without_fold: tuple[float, float]


def pool(differences: pd.DataFrame, confidence: float = 0.95) -> Pooled:
    """Pool paired differences of episodes over series.

    `differences` has columns fold, series, task, seed, value: one row per episode and pre-training seed. Every series
    has each seed; ValueError if one lacks a seed that another has.
    """
    table = series_table(differences)
    if table.isna().to_numpy().any():
        raise ValueError(f"series {table.index[table.isna().any(axis=1)][0]} lacks a seed that another has")
    low, high, _ = crossed_interval(table.to_numpy(), confidence)
    of_series = table.mean(axis=1)
    largest = differences.groupby("series")["value"].agg(lambda values: values.abs().max())
    return Pooled(
        float(of_series.mean()),
        float(low),
        float(high),
        len(table),
        int((largest == 0).sum()),
        pooled_outcome(low, high),
        series_needed(of_series.to_numpy(), confidence),
        random_effects(of_series, series_variances(differences), confidence),
        without_folds(of_series, differences),
    )


def series_table(differences: pd.DataFrame) -> pd.DataFrame:
    """Mean of each series, (series, seeds): over the episodes of a task, then over tasks."""
    of_tasks = differences.groupby(["series", "seed", "task"])["value"].mean()
    return of_tasks.groupby(["series", "seed"]).mean().unstack("seed").sort_index()


def series_variances(differences: pd.DataFrame) -> pd.Series:
    """Variance of each series' mean by the spread of its episodes, (series,); NaN with one episode of a task."""
    of_episodes = differences.groupby(["series", "task"])["value"].agg(["var", "size"])
    of_tasks = of_episodes["var"] / of_episodes["size"]
    by_series = of_tasks.groupby("series")
    return by_series.sum(min_count=1) / by_series.size() ** 2


def pooled_outcome(low: float, high: float, widest: float = WIDEST) -> Outcome:
    """What a pooled interval says: that there is no difference only if it is narrow."""
    plain = outcome(low, high)
    return Outcome.NO_DIFFERENCE if plain == Outcome.UNDECIDED and (high - low) / 2 <= widest else plain


def series_needed(of_series: np.ndarray, confidence: float = 0.95, widest: float = WIDEST) -> int:
    """Least number of series whose t interval would have a half-width of at most `widest`; 0 if there is none."""
    if len(of_series) < LEAST_STUDIES:
        return 0
    counts = np.arange(LEAST_STUDIES, MOST_SERIES + 1)
    half = stats.t.ppf((1 + confidence) / 2, counts - 1) * of_series.std(ddof=1) / np.sqrt(counts)
    enough = np.flatnonzero(half <= widest)
    return int(counts[enough[0]]) if len(enough) else 0


def random_effects(of_series: pd.Series, variances: pd.Series, confidence: float) -> tuple[float, float, float]:
    """Random-effects mean (iterated estimate of the variance between series), with Hartung and Knapp's interval.

    Variances are at least `VARIANCE_FLOOR` of their median above 0: else one series without any difference would have
    all the weight. NaN if no series has a variance above 0.
    """
    from statsmodels.stats.meta_analysis import combine_effects

    variances = variances.reindex(of_series.index)
    above = variances[variances > 0]
    if len(of_series) < LEAST_STUDIES or above.empty:
        return np.nan, np.nan, np.nan
    floor = VARIANCE_FLOOR * above.median()
    used = variances.fillna(above.median()).clip(lower=floor)
    combined = combine_effects(of_series.to_numpy(), used.to_numpy(), method_re="iterated", use_t=True)
    half = stats.t.ppf((1 + confidence) / 2, len(of_series) - 1) * combined.sd_eff_w_re_hksj
    mean = float(combined.mean_effect_re)
    return mean, float(mean - half), float(mean + half)


def without_folds(of_series: pd.Series, differences: pd.DataFrame) -> tuple[float, float]:
    """Least and largest mean over series when each fold is left out."""
    fold = differences.groupby("series")["fold"].first().reindex(of_series.index)
    means = [of_series[fold != left_out].mean() for left_out in fold.unique() if (fold != left_out).any()]
    return (float(min(means)), float(max(means))) if means else (np.nan, np.nan)
