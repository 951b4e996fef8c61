"""Pooling over series, against plain loops, scipy, the published formulas and simulated laboratories."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.pooling import (
    pool,
    pooled_outcome,
    random_effects,
    series_needed,
    series_variances,
)
from scipy import stats


def episodes(generator, series, effect=0.0, between=0.02, fold_effect=0.0, seeds=1):
    """Differences of episodes: each series has its own effect, number of tasks and of episodes."""
    rows, of_fold = [], generator.normal(0, fold_effect, 5) if fold_effect else np.zeros(5)
    for number in range(series):
        own = effect + generator.normal(0, between) + of_fold[number % 5]
        for task in range(1 + number % 3):
            of_task = own + generator.normal(0, 0.02)
            for _ in range(4 + 3 * (number % 4)):
                for seed in range(1, seeds + 1):
                    value = of_task + generator.normal(0, 0.1)
                    rows.append((number % 5, f"laboratory{number:02}", f"task{task}", seed, value))
    return pd.DataFrame(rows, columns=["fold", "series", "task", "seed", "value"])


def by_loops(table):
    """Mean of each series by plain loops."""
    found = []
    for series in sorted(set(table["series"])):
        tasks = []
        for task in sorted(set(table.loc[table["series"] == series, "task"])):
            rows = zip(table["series"], table["task"], table["value"], strict=True)
            values = [value for *place, value in rows if place == [series, task]]
            tasks.append(sum(values) / len(values))
        found.append(sum(tasks) / len(tasks))
    return np.array(found)


def test_mean_and_interval_are_those_of_plain_loops_and_scipy():
    table = episodes(np.random.default_rng(1), 9, 0.03)
    found, means = pool(table), by_loops(table)
    interval = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert found.difference == pytest.approx(means.mean())
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.series == 9
    left_out = [means[np.arange(9) % 5 != fold].mean() for fold in range(5)]
    assert found.without_fold == pytest.approx((min(left_out), max(left_out)))


def test_a_series_of_many_episodes_weighs_no_more_than_another():
    table = pd.DataFrame({"fold": 1, "series": "a", "task": "t", "seed": 1, "value": [1.0] * 90})
    others = table.iloc[:3].assign(series=["b", "c", "d"], value=0.0)
    found = pool(pd.concat([table, others]))
    assert found.difference == pytest.approx(1 / 4)
    assert found.zero_series == 3


def test_a_series_that_lacks_a_seed_is_refused():
    table = episodes(np.random.default_rng(1), 4, seeds=2)
    with pytest.raises(ValueError, match="laboratory01 lacks a seed"):
        pool(table[(table["series"] != "laboratory01") | (table["seed"] == 1)])


def test_seeds_widen_the_interval_only_if_they_differ():
    generator = np.random.default_rng(2)
    one = episodes(generator, 8)
    alike = pd.concat([one, one.assign(seed=2)])
    assert pool(alike).high == pytest.approx(pool(one).high)
    apart = pd.concat([one.assign(value=one["value"] - 0.2), one.assign(seed=2, value=one["value"] + 0.2)])
    assert pool(apart).high > pool(one).high + 0.1


def test_random_effects_have_hartung_and_knapps_interval():
    # Closed form (Hartung & Knapp 2001), given the estimate of the variance between series: with equal variances the
    # mean is the plain one and the interval that of t.
    values = pd.Series([0.02, -0.01, 0.05, 0.03], index=list("abcd"))
    mean, low, high = random_effects(values, pd.Series(1e-4, index=values.index), 0.95)
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (mean, low, high) == pytest.approx((values.mean(), interval.low, interval.high))
    # Unequal variances: Paule and Mandel's equation holds (Q at the estimate equals its expectation, m - 1).
    variances = pd.Series([1e-4, 4e-4, 2e-5, 9e-4], index=values.index)
    from scipy.optimize import brentq

    def excess(between):
        weights = 1 / (variances + between)
        return (weights * (values - (weights * values).sum() / weights.sum()) ** 2).sum() - 3

    weights = 1 / (variances.clip(lower=0.1 * variances.median()) + brentq(excess, 0, 1))
    expected = (weights * values).sum() / weights.sum()
    error = np.sqrt((weights * (values - expected) ** 2).sum() / (3 * weights.sum()))
    half = stats.t.ppf(0.975, 3) * error
    found = random_effects(values, variances, 0.95)  # the iteration stops at 1e-5
    assert found == pytest.approx((expected, expected - half, expected + half), abs=1e-4)


def test_a_series_without_any_difference_does_not_take_all_the_weight():
    table = episodes(np.random.default_rng(3), 8, 0.1)
    table.loc[table["series"] == "laboratory00", "value"] = 0.0
    assert series_variances(table)["laboratory00"] == 0
    assert pool(table).random_effects[0] > 0.05


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.001, 0.09, Outcome.BETTER),
        (-0.09, -0.001, Outcome.WORSE),
        (-0.012, 0.012, Outcome.NO_DIFFERENCE),
        (-0.002, 0.022, Outcome.NO_DIFFERENCE),
        (-0.013, 0.012, Outcome.UNDECIDED),
        (np.nan, np.nan, Outcome.NOT_TESTED),
    ],
)
def test_no_difference_needs_a_narrow_interval(low, high, expected):
    assert pooled_outcome(low, high) == expected


def test_series_needed_is_the_least_number():
    values = np.random.default_rng(4).normal(0, 0.05, 12)
    needed = series_needed(values)

    def half(count):
        return stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count)

    assert half(needed) <= 0.012 < half(needed - 1)
    assert series_needed(values[:2]) == 0


@pytest.mark.parametrize(("series", "fold_effect", "least"), [(14, 0.0, 0.92), (14, 0.02, 0.75)])
def test_coverage_of_the_interval(series, fold_effect, least):
    # Independent laboratories: near the nominal 95 %. Models that the series of one fold share can bring it down.
    generator = np.random.default_rng(5)
    held = [pool(episodes(generator, series, 0.03, fold_effect=fold_effect)) for _ in range(300)]
    coverage = np.mean([each.low <= 0.03 <= each.high for each in held])
    assert least <= coverage <= 0.985
