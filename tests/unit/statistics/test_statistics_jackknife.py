"""The jackknife over studies against hand-computed values, closed forms and simulated coverage."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.statistics.crossed import crossed_interval
from scarceseq.statistics.jackknife import StudyJackknife
from scipy import stats


def interval(values, support, query, confidence=0.95, **known):
    return StudyJackknife(support, query, confidence, **known).interval(values)


def crossing(studies):
    """Support and query study of an episode of every ordered pair."""
    pairs = np.array([(one, two) for one in range(studies) for two in range(studies) if one != two])
    return pairs[:, 0], pairs[:, 1]


def names(numbers):
    return np.array([f"S{number:02d}" for number in numbers])


def test_within_studies_it_is_the_t_interval_on_study_means():
    study = np.array(list("aabbbc"))
    values = np.array([0.0, 2.0, 4.0, 5.0, 6.0, 3.0])
    found = interval(values, study, study)
    low, high = stats.t.interval(0.95, 2, loc=3.0, scale=stats.sem([1.0, 5.0, 3.0]))
    assert (found.mean, found.low, found.high) == pytest.approx((3.0, low, high))
    assert (found.kind, found.studies) == ("jackknife over query studies, t", 3)


def test_what_a_study_adds_in_both_roles_counts_twice():
    # Oracle: of a_support + b_query over all ordered pairs the mean without a study is that of a + b without it.
    a, b = np.random.default_rng(1).normal(size=(2, 7))
    support, query = crossing(7)
    for one, two in ((a, a), (a, b), (a, 0 * b), (0 * a, b)):
        found = interval(one[support] + two[query], names(support), names(query))
        low, high = stats.t.interval(0.95, 6, loc=(one + two).mean(), scale=stats.sem(one + two))
        assert (found.low, found.high) == pytest.approx((low, high))
    assert found.kind == "jackknife over support and query studies, t"


def test_studies_are_left_out_one_by_one_where_pairs_are_missing_and_repeated():
    # Oracle: the jackknife written as a loop, over pairs that count alike.
    generator = np.random.default_rng(2)
    support, query = (part[generator.integers(0, 42, 60)] for part in crossing(7))
    values = generator.normal(size=60) + generator.normal(size=7)[query]
    table = pd.DataFrame({"s": support, "q": query, "v": values})

    def mean(part):
        return part.groupby(["s", "q"])["v"].mean().mean()

    left = np.array([mean(table[(table["s"] != study) & (table["q"] != study)]) for study in range(7)])
    pseudo = 7 * mean(table) - 6 * left
    half = stats.t.ppf(0.975, 6) * stats.sem(pseudo)
    found = interval(values, names(support), names(query))
    assert (found.mean, found.low, found.high) == pytest.approx((mean(table), mean(table) - half, mean(table) + half))


def draw_one_factor(generator, support, query):
    return generator.normal(size=6)[query] + generator.normal(size=len(query))


def draw_both_roles(generator, support, query):
    own = generator.normal(size=6)
    return own[support] + own[query] + generator.normal(size=len(query))


def draw_two_factors_and_seeds(generator, support, query):
    one, two = generator.normal(size=(2, 6))
    seeds = generator.normal(size=5)
    return (one[support] + two[query])[:, None] + seeds + generator.normal(size=(len(query), 5))


@pytest.mark.parametrize("draw", [draw_one_factor, draw_both_roles, draw_two_factors_and_seeds])
def test_intervals_cover_at_least_as_often_as_they_say(draw):
    support, query = crossing(6)
    jackknife = StudyJackknife(names(query if draw is draw_one_factor else support), names(query), 0.95)
    generator = np.random.default_rng(3)
    held = 0
    for _ in range(1000):
        found = jackknife.interval(draw(generator, support, query))
        held += found.low <= 0 <= found.high
    assert held > 930


def test_the_scarcer_of_support_and_query_studies_decides():
    query, support = names(np.arange(12)), np.array(list("abc") * 4)
    found = interval(np.arange(12.0) ** 2, support, query)
    assert (found.studies, np.isnan(found.p)) == (3, True)
    many = interval(np.arange(12.0) ** 2, names(np.arange(12) + 20), query)
    assert many.studies == 12
    assert many.p > 0
    assert interval(np.arange(12.0), support[:2], query[:2]).reason == "2 query studies; an interval needs 3"


def test_one_study_in_every_episode_gives_no_interval():
    found = interval(np.arange(6.0), np.array(list("aaabcd")), np.array(list("bcdaaa")))
    assert (found.mean, found.reason) == (2.5, "one study is in every episode")


def test_supports_of_several_studies_are_no_factor():
    values, query = np.arange(12.0), names(np.arange(12))
    support = np.array([f"A + {name}" for name in query])
    assert interval(values, support, query, mixed_support=True) == interval(values, query, query)


def test_seeds_are_crossed_with_studies():
    # Oracle: within studies, the interval of a complete table of studies and seeds.
    table = np.random.default_rng(5).normal(size=(5, 1)) + np.random.default_rng(6).normal(size=(5, 4))
    found = interval(table, names(np.arange(5)), names(np.arange(5)))
    assert (found.low, found.high) == pytest.approx(crossed_interval(table, 0.95)[:2])
    assert found.kind == "jackknife over query studies and seeds, t"


def test_p_value_is_where_the_interval_begins_to_hold_zero():
    study, values = names(np.arange(20)), np.random.default_rng(8).normal(0.5, 1.0, 20)
    found = interval(values, study, study)
    assert found.p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert interval(values, study, study, 1 - found.p).low == pytest.approx(0, abs=1e-9)


def test_two_studies_or_equal_ones_give_no_interval_but_a_reason():
    found = interval([0.0, 1.0], ["a", "b"], ["a", "b"])
    assert found.mean == 0.5
    assert np.isnan([found.low, found.high]).all()
    assert (found.kind, found.reason) == ("NA", "2 query studies; an interval needs 3")
    equal = interval([0.25] * 4, list("abcd"), list("abcd"))
    assert np.isnan([equal.low, equal.p]).all()
    assert equal.reason == "all 4 studies are equal, which tells nothing of their spread"


def test_within_one_study_the_interval_knows_that_episodes_overlap():
    # Oracle: Nadeau and Bengio's variance of a mean over J divisions, s^2 (1/J + asked/learned), by hand.
    values, study = np.random.default_rng(4).normal(0.1, 0.2, 50), np.full(50, "a")
    found = interval(values, study, study, asked_to_learned=2.0)
    half = stats.t.ppf(0.975, 49) * values.std(ddof=1) * np.sqrt(1 / 50 + 2.0)
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half))
    assert (found.kind, found.studies) == ("corrected resampled t, within one study", 1)
    both = interval(np.column_stack([values, values]), study, study, asked_to_learned=2.0)
    assert (both.low, both.high) == (found.low, found.high)  # seeds on one study's episodes are no further divisions
    equal = interval(np.ones(50), study, study, asked_to_learned=2.0)
    assert np.isnan(equal.low)
    assert equal.reason == "1 study, all episodes are equal"
    other = interval(values, np.full(50, "b"), study, asked_to_learned=2.0)  # across studies: no such thing
    assert np.isnan(other.low)
