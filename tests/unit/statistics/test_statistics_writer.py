"""Sentences about constructed comparisons of every outcome."""

import dataclasses
import math

import pytest
from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.writer import (
    Contrast,
    seed_caveat,
    sentence,
    sentence_of_all,
    study_caveats,
)

LIMITS = {
    Outcome.BETTER: (0.02, 0.08),
    Outcome.WORSE: (-0.08, -0.02),
    Outcome.NO_DIFFERENCE: (-0.03, 0.04),
    Outcome.UNDECIDED: (-0.02, 0.10),
    Outcome.NOT_TESTED: (math.nan, math.nan),
}


def contrast(kind, **changes):
    """A comparison with that outcome."""
    low, high = LIMITS[kind]
    middle = 0.2 if math.isnan(low) else (low + high) / 2
    reason = "2 query studies; an interval needs 3" if math.isnan(low) else ""
    one = Contrast(
        "guided per tensor", "linear probe", middle, low, high, "6 studies, 40 episodes, 5 seeds", reason=reason
    )
    return dataclasses.replace(one, smallest_difference=0.05, place="tissue, 2-way 1-shot, base mlp", **changes)


SENTENCES = {
    Outcome.BETTER: "Tissue, 2-way 1-shot, base mlp: guided per tensor does better than linear probe (difference in "
    "balanced accuracy +0.050 [+0.020 to +0.080]; 6 studies, 40 episodes, 5 seeds).",
    Outcome.WORSE: "Tissue, 2-way 1-shot, base mlp: guided per tensor does worse than linear probe (difference in "
    "balanced accuracy -0.050 [-0.080 to -0.020]; 6 studies, 40 episodes, 5 seeds).",
    Outcome.NO_DIFFERENCE: "Tissue, 2-way 1-shot, base mlp: guided per tensor does as well as linear probe to within "
    "0.05 (difference in balanced accuracy +0.005 [-0.030 to +0.040]; 6 studies, 40 episodes, 5 seeds).",
    Outcome.UNDECIDED: "Tissue, 2-way 1-shot, base mlp: whether guided per tensor does better than linear probe is "
    "undecided (difference in balanced accuracy +0.040 [-0.020 to +0.100]; 6 studies, 40 episodes, 5 seeds); "
    "0.05 is not ruled out.",
    Outcome.NOT_TESTED: "Tissue, 2-way 1-shot, base mlp: guided per tensor was not tested against linear probe: 2 "
    "query studies; an interval needs 3 (difference in balanced accuracy +0.200; 6 studies, 40 episodes, 5 seeds).",
}


@pytest.mark.parametrize("kind", Outcome)
def test_a_sentence_says_what_was_compared_by_how_much_and_what_follows(kind):
    one = contrast(kind)
    assert one.outcome == kind
    assert sentence(one) == SENTENCES[kind]


@pytest.mark.parametrize("kind", Outcome)
def test_no_sentence_has_more_than_forty_words(kind):
    names = {"subject": "linear probe then fine tuning", "rival": "embedding diagonal discriminant"}
    assert len(sentence(contrast(kind, p_adjusted=0.013, **names)).split()) <= 40
    assert len(sentence(contrast(kind, values=(0.81, 0.79), p_adjusted=0.013)).split()) <= 40
    assert len(sentence_of_all([contrast(kind, p_adjusted=0.01) for kind in Outcome]).split()) <= 40


def test_percentages_values_and_adjusted_p_are_in_the_figures():
    one = Contrast("reach", "random", 3.14, 1.0, 5.2, "10 splits", "error saved", 5.0, unit="%", decimals=1)
    assert sentence(dataclasses.replace(one, p_adjusted=0.002)) == (
        "Reach does better than random (error saved +3.1% [+1.0% to +5.2%]; 10 splits; adjusted p 0.002)."
    )
    both = dataclasses.replace(contrast(Outcome.BETTER), values=(0.75, 0.7))
    assert "; 0.750 against 0.700; 6 studies" in sentence(both)


def test_one_sentence_counts_the_outcomes_of_a_set():
    kinds = [Outcome.BETTER, Outcome.BETTER, Outcome.WORSE, Outcome.UNDECIDED]
    p = [0.01, 0.2, 0.04, math.nan]
    several = [contrast(kind, p_adjusted=value) for kind, value in zip(kinds, p, strict=True)]
    assert sentence_of_all(several) == (
        "Guided per tensor against linear probe, 4 comparisons: 2 better, 1 worse, 1 undecided (mean "
        "difference in balanced accuracy +0.022); 2 of the 3 clear ones hold after Holm's adjustment."
    )
    assert sentence_of_all([contrast(Outcome.WORSE, p_adjusted=0.01)]) == (
        "Guided per tensor against linear probe, 1 comparison: 1 worse (mean difference in balanced accuracy -0.050)."
    )
    rivals = [contrast(Outcome.BETTER), contrast(Outcome.BETTER, rival="scratch")]
    assert sentence_of_all(rivals).startswith("Guided per tensor, 2 comparisons: 2 better (mean")
    assert sentence_of_all([]) == "Nothing was compared."


def test_what_few_seeds_and_studies_do_not_carry_is_said():
    assert seed_caveat(5, 5) == ""
    assert seed_caveat(1, 1).startswith("One pre-training seed carries no claim beyond the base models at hand")
    assert seed_caveat(2, 2).startswith("2 pre-training seeds carry no claim")
    assert seed_caveat(2, 5).startswith("Where there are fewer seeds than elsewhere: 2 pre-training")
    assert study_caveats([12, 10], 10) == []
    assert study_caveats([9, 12], 10) == [
        "Where there are fewer than 10 studies, no claim is made over several comparisons at once."
    ]
    assert [text.split(",")[0] for text in study_caveats([1, 12], 10)] == [
        "What rests on one study holds for random divisions of it",
        "Where there are fewer than 10 studies",
    ]
