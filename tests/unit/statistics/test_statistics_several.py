"""Pooling: its mean, its interval where comparisons rise and fall together, and its cover where they do not."""

import math

import numpy as np
import pytest
from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.several import pooled
from scarceseq.statistics.writer import Contrast
from scipy import stats

CASES, STUDIES, REPEATS = 5, 8, 4000


def contrast(difference, low, high, least=math.nan):
    return Contrast("a", "b", difference, low, high, "n", smallest_difference=least, unit="%")


def test_comparisons_that_are_alike_pool_to_themselves():
    one = contrast(0.2, 0.1, 0.35, 0.05)
    found = pooled([one, one, one])
    assert (found.difference, found.low, found.high) == pytest.approx((0.2, 0.1, 0.35))
    assert (found.n, found.smallest_difference, found.outcome) == ("3 comparisons", pytest.approx(0.05), Outcome.BETTER)


def test_those_without_an_interval_are_left_out_unless_none_has_one():
    nothing = contrast(0.9, math.nan, math.nan)
    found = pooled([contrast(0.2, 0.1, 0.3), nothing], "x", "y")
    assert (found.difference, found.n, found.subject, found.rival) == (0.2, "1 comparison", "x", "y")
    alone = pooled([nothing, nothing])
    assert (alone.difference, alone.outcome) == (0.9, Outcome.NOT_TESTED)
    assert pooled([]).outcome == Outcome.NOT_TESTED


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_the_interval_covers_the_true_mean_whatever_the_comparisons_share(shared):
    """Oracle: t intervals of scipy on simulated studies whose effects have a part in common."""
    generator = np.random.default_rng(11)
    common = generator.normal(size=(REPEATS, 1, STUDIES))
    own = generator.normal(size=(REPEATS, CASES, STUDIES))
    values = 0.3 + np.sqrt(shared) * common + np.sqrt(1 - shared) * own
    means, errors = values.mean(axis=2), stats.sem(values, axis=2)
    half = stats.t.ppf(0.975, STUDIES - 1) * errors
    covered = []
    for mean, width in zip(means, half, strict=True):
        found = pooled([contrast(m, m - w, m + w) for m, w in zip(mean, width, strict=True)])
        covered.append(found.low <= 0.3 <= found.high)
    share = np.mean(covered)
    assert share >= 0.94
    if shared == 1.0:
        assert share == pytest.approx(0.95, abs=0.012), "exact where all rise and fall together"
