"""Sentences of the first screen for every question and outcome: short, plain, one number."""

import math
import re

import pytest
from scarceseq.statistics.cards import MARKS, QUESTIONS, SENTENCES, card, collected, share_card, size
from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.writer import Contrast

MOST_WORDS = 35
BANNED = r"\b(?:holm|underpowered|p_?value|p_\w+|contrast|nan|none of|significant(?:ly)?|utili[sz]e|mse)\b|[@_{}]"
NEGATIVES = r"\b(?:not|no|never|none|nothing|neither|nor|cannot|without|un(?:clear|able|likely)|fail(?:s|ed)?)\b|n't\b"
LIMITS = {
    Outcome.BETTER: (2.0, 8.0),
    Outcome.WORSE: (-8.0, -2.0),
    Outcome.NO_DIFFERENCE: (-3.0, 4.0),
    Outcome.UNDECIDED: (-2.0, 10.0),
    Outcome.NOT_TESTED: (math.nan, math.nan),
}
COMPARED = ["knows", "guide", "selection", "prediction"]
LONGEST_NAME = "fine-tuning at the guide's mean rate by layer (Fisher information)"


def compared(kind, sign=1):
    low, high = sorted(sign * value for value in LIMITS[kind])
    middle = 0.2 if math.isnan(low) else (low + high) / 2
    return Contrast("one", "other", middle, low, high, "6 studies", smallest_difference=5.0, unit="%")


def every_sentence():
    for key in SENTENCES:
        for kind in Outcome:
            if key in COMPARED:
                for sign in (1, -1) if kind in (Outcome.UNDECIDED, Outcome.NO_DIFFERENCE) else (1,):
                    yield pytest.param(key, kind, card(key, compared(kind, sign), name=LONGEST_NAME))
            else:
                yield pytest.param(key, kind, share_card(key, kind, (71.2, 60, 80), 50, "n", LONGEST_NAME))
    for samples in (0, 1, 123_456):
        yield pytest.param("collected", None, collected(samples, "3 studies"))


def faults(text):
    """What is wrong with a sentence as English: its length, banned words, numbers, negatives."""
    said = re.sub(r"^(?:Yes|No|Cannot tell|None yet): ", "", text)
    clauses = re.split(r"[,;:.] ", said.replace("no difference", ""))
    return [
        *(["too long"] if len(text.split()) > MOST_WORDS else []),
        *re.findall(BANNED, text.replace("(Fisher information)", ""), re.IGNORECASE),
        *(["several numbers"] if len(re.findall(r"\d[\d,.]*", text)) > 1 else []),
        *(["double negative"] for clause in clauses if len(re.findall(NEGATIVES, clause, re.IGNORECASE)) > 1),
        *([] if re.fullmatch(r"[A-Z0-9].*\.", text) and text.count(". ") == 0 else ["not one sentence"]),
    ]


@pytest.mark.parametrize(("key", "kind", "made"), every_sentence())
def test_each_sentence_is_short_plain_and_has_at_most_one_number(key, kind, made):
    [text] = made.sentences
    assert faults(text) == []
    assert made.question == QUESTIONS[key]
    if kind is not None:
        assert made.mark == MARKS[kind]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("It is not unlikely that it helps.", "double negative"),
        ("It holds after Holm's adjustment.", "Holm"),
        ("Guided@global helps.", "@"),
        ("It saves 3% of 7%.", "several numbers"),
        ("Two. Sentences.", "not one sentence"),
        ("word " * 40 + ".", "too long"),
    ],
)
def test_the_check_of_english_finds_what_it_looks_for(text, fault):
    assert fault in [each if isinstance(each, str) else each[0] for each in faults(text)]


def test_every_question_has_a_sentence_for_every_outcome_and_all_differ():
    assert set(SENTENCES) == set(QUESTIONS) - {"collected", "own"}
    for key, texts in SENTENCES.items():
        assert list(texts) == list(Outcome)
        assert len(set(texts.values())) == len(Outcome), key


@pytest.mark.parametrize("key", COMPARED)
def test_the_sentence_says_the_side_and_the_size_of_what_was_measured(key):
    texts = {kind: card(key, compared(kind), name="ridge").sentences[0] for kind in Outcome}
    assert texts[Outcome.BETTER].startswith("Yes: ")
    assert texts[Outcome.WORSE].startswith("No: ")
    assert texts[Outcome.NO_DIFFERENCE].startswith("No: ")
    assert texts[Outcome.UNDECIDED].startswith("Cannot tell: ")
    assert texts[Outcome.NOT_TESTED].startswith("Cannot tell: ")
    for kind, shown in ((Outcome.BETTER, "5.0"), (Outcome.WORSE, "5.0"), (Outcome.NO_DIFFERENCE, "within 5")):
        assert shown in texts[kind]
    up, down = (card(key, compared(Outcome.UNDECIDED, sign), name="ridge").sentences[0] for sign in (1, -1))
    assert up != down, "less and more are told apart"
    assert {"4.0" in up, "4.0" in down} == {True}
    assert not re.search(r"\d", texts[Outcome.NOT_TESTED])


def test_a_card_draws_the_comparison_against_zero():
    made = card("guide", compared(Outcome.BETTER))
    assert (made.value, made.low, made.high, made.line) == (5.0, 2.0, 8.0, 0.0)
    assert made.basis == "6 studies"


@pytest.mark.parametrize(
    ("value", "text"), [(12.4, "12%"), (-3.14, "3.1%"), (9.96, "10%"), (0.04, "less than 0.1%"), (9.94, "9.9%")]
)
def test_sizes_are_rounded_and_without_a_sign(value, text):
    assert size(value, "%") == text
