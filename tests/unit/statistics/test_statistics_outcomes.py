"""One rule for five outcomes."""

import math

import pytest
from scarceseq.statistics.outcomes import MEANINGS, Outcome, meanings, outcome
from sentence_length import longest_sentence


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 0.4, "better"),
        (0.001, 0.002, "better"),  # however small
        (-0.4, -0.1, "worse"),
        (-0.04, 0.03, "no difference"),
        (0.0, 0.0, "no difference"),
        (0.0, 0.04, "no difference"),
        (-0.05, 0.03, "undecided"),
        (-0.03, 0.05, "undecided"),
        (-0.2, 0.04, "undecided"),
        (-0.01, 0.2, "undecided"),
        (math.nan, math.nan, "not tested"),
        (0.1, math.inf, "not tested"),
        (None, None, "not tested"),
    ],
)
def test_the_outcome_follows_from_interval_and_smallest_difference(low, high, expected):
    assert outcome(low, high, 0.05) == expected


def test_without_a_smallest_difference_nothing_shows_that_there_is_none():
    assert [outcome(-0.001, 0.001), outcome(0.1, 0.2), outcome(-0.2, -0.1)] == ["undecided", "better", "worse"]


def test_every_outcome_has_a_meaning():
    assert set(MEANINGS) == set(Outcome)
    assert meanings().startswith("Better: the interval lies above 0. Worse: the interval lies below 0. No difference: ")
    assert longest_sentence(meanings()) <= 40
