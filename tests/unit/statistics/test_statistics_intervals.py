"""Intervals of means and shares against scipy, closed forms and simulated coverage."""

import numpy as np
import pytest
from scarceseq.statistics.intervals import corrected_interval, mean_interval, share_interval
from scipy import stats


def test_the_corrected_interval_covers_where_the_naive_one_does_not():
    """Oracle: simulated overlapping splits of one pool; the truth is the difference over all perturbations."""
    generator = np.random.default_rng(0)
    corrected = naive = 0
    for _ in range(300):
        differences = generator.normal(size=50)
        means = [differences[generator.permutation(50)[:10]].mean() for _ in range(20)]
        _, low, high, _ = corrected_interval(means, 10 / 40, 0.95)
        corrected += low <= 0 <= high
        half = stats.t.ppf(0.975, 19) * np.std(means, ddof=1) / np.sqrt(20)
        naive += abs(np.mean(means)) <= half
    assert corrected / 300 > 0.9
    assert naive / 300 < 0.75


def test_one_split_has_no_interval():
    mean, low, high, how = corrected_interval([0.3], 0.25, 0.95)
    assert (mean, how) == (0.3, "none: one split")
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize(("right", "total"), [(12, 12), (11, 12), (0, 5), (17, 22)])
def test_the_interval_of_a_share_is_that_of_the_binomial_test(right, total):
    expected = stats.binomtest(right, total).proportion_ci(0.9, method="exact")
    np.testing.assert_allclose(share_interval(right, total, 0.9), expected, atol=1e-12)


def test_the_interval_of_a_share_of_groups_needs_no_whole_numbers():
    """Oracle: quantiles of the beta distribution (Clopper and Pearson)."""
    expected = stats.beta.ppf(0.025, 2.5, 4.5), stats.beta.ppf(0.975, 3.5, 3.5)
    np.testing.assert_allclose(share_interval(2.5, 6, 0.95), expected, atol=1e-12)


def test_the_interval_of_a_mean_is_students():
    values = np.random.default_rng(3).normal(size=9)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    np.testing.assert_allclose(mean_interval(values, 0.9), (expected.low, expected.high))
    assert np.isnan(mean_interval(values[:2])).all()
