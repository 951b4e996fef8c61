"""Intervals over crossed studies and seeds against mean squares by hand and simulated coverage."""

import numpy as np
import pytest
from scarceseq.statistics.crossed import crossed_error, crossed_interval
from scipy import stats


def test_with_one_seed_the_interval_is_students():
    values = np.random.default_rng(8).normal(size=(7, 1))
    expected = stats.ttest_1samp(values[:, 0], 0).confidence_interval(0.95)
    assert crossed_interval(values, 0.95)[:2] == pytest.approx((expected.low, expected.high))


def test_crossed_interval_follows_the_mean_squares_by_hand():
    table = np.array([[1.0, 2.0, 6.0], [2.0, 3.0, 9.0], [0.0, 2.0, 4.0], [1.0, 4.0, 5.0]])
    n, k, mean = 4, 3, table.mean()
    study = k * sum((row.mean() - mean) ** 2 for row in table) / (n - 1)
    seed = n * sum((column.mean() - mean) ** 2 for column in table.T) / (k - 1)
    rest = sum((table[i, j] - table[i].mean() - table[:, j].mean() + mean) ** 2 for i in range(n) for j in range(k)) / (
        (n - 1) * (k - 1)
    )
    freedom = (study + seed - rest) ** 2 / (study**2 / 3 + seed**2 / 2 + rest**2 / 6)
    half = stats.t.ppf(0.975, freedom) * np.sqrt((study + seed - rest) / 12)
    assert crossed_interval(table, 0.95)[:2] == pytest.approx((mean - half, mean + half))


@pytest.mark.parametrize(("study", "seed", "rest"), [(1, 0, 1), (1, 1, 0.3), (0.3, 1, 0.3), (0, 0, 1)])
def test_crossed_interval_covers_at_least_as_often_as_it_says(study, seed, rest):
    generator = np.random.default_rng(9)
    hits = 0
    for _ in range(800):
        table = study * generator.normal(size=(12, 1)) + seed * generator.normal(size=(1, 5))
        low, high, _ = crossed_interval(table + rest * generator.normal(size=(12, 5)), 0.95)
        hits += low < 0 < high
    assert hits / 800 > 0.93


def test_two_studies_give_no_interval():
    assert np.isnan(crossed_interval(np.ones((2, 5)), 0.95)[0])


def test_mean_squares_that_nearly_cancel_give_no_endless_interval():
    """Seeds differ, studies hardly: degrees of freedom fell to 0.02, and the interval reached 1e15."""
    generator = np.random.default_rng(3)
    noise = generator.normal(size=(3, 5))
    noise -= noise.mean(axis=1, keepdims=True)  # studies alike
    of_seed = noise.mean(axis=0)
    rest = np.square(noise - of_seed).sum() / 8
    seeds = of_seed * np.sqrt((rest * 1.0001) / (3 * of_seed.var(ddof=1)))
    table = noise - of_seed + seeds
    error, freedom = crossed_error(table, 2)
    assert freedom == 1
    assert 0 < error < 0.1
    low, high, _ = crossed_interval(table, 0.95)
    assert high - low == pytest.approx(2 * stats.t.ppf(0.975, 1) * error)
