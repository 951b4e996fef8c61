"""The sentences of the report's first screen: for each question and outcome one, with one number, in plain words."""

import math
from dataclasses import dataclass

from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.writer import Contrast

QUESTIONS = {
    "collected": "What was collected?",
    "own": "What does my study show?",
    "knows": "Does the model know anything?",
    "guide": "Does the guide help?",
    "method": "Which method should I use?",
    "design": "Which genes should I perturb?",
    "selection": "Does choosing genes beat chance?",
    "prediction": "Can the effect of others be predicted?",
}
SENTENCES = {
    "knows": {
        Outcome.BETTER: "Yes: in studies that it never saw, the model predicts hidden genes with {size} less error "
        "than the best simple predictor.",
        Outcome.WORSE: "No: in studies that it never saw, the model predicts hidden genes with {size} more error "
        "than the best simple predictor.",
        Outcome.NO_DIFFERENCE: "No: the model predicts hidden genes as well as the best simple predictor, to within "
        "{least} of its error.",
        Outcome.UNDECIDED: "Cannot tell: the model predicts hidden genes with {size} {less} error than the best simple "
        "predictor, which chance can explain.",
        Outcome.NOT_TESTED: "Cannot tell: too few studies were kept aside to compare the model with simple predictors.",
    },
    "guide": {
        Outcome.BETTER: "Yes: a guide raises the share of right answers by {size} over fine-tuning at the guide's "
        "average rate.",
        Outcome.WORSE: "No: a guide lowers the share of right answers by {size} against fine-tuning at the guide's "
        "average rate.",
        Outcome.NO_DIFFERENCE: "No: fine-tuning with a guide is right as often as at the guide's average rate, to "
        "within {least}.",
        Outcome.UNDECIDED: "Cannot tell: a guide {raises} the share of right answers by {size} against fine-tuning at "
        "its average rate, which chance can explain.",
        Outcome.NOT_TESTED: "Cannot tell: the guide was not tested against fine-tuning at its average rate, or on "
        "too few studies.",
    },
    "method": {
        Outcome.BETTER: "Use {name}: it is right in {size} of cases, more often than any other method that was tried.",
        Outcome.WORSE: "None yet: the best, {name}, is right in {size} of cases, and chance does as well.",
        Outcome.NO_DIFFERENCE: "Any: all methods are right equally often, in {size} of cases, so take the simplest.",
        Outcome.UNDECIDED: "Perhaps {name}: it is right most often, in {size} of cases, but others may be as good.",
        Outcome.NOT_TESTED: "Perhaps {name}: it is right most often, in {size} of cases, but few studies were there to "
        "compare methods.",
    },
    "design": {
        Outcome.BETTER: "Those of the list, from the top: they leave {size} of the expected error, less than random "
        "choices do.",
        Outcome.WORSE: "Choose at random: the list leaves {size} of the expected error, more than random choices do.",
        Outcome.NO_DIFFERENCE: "Any: the list leaves {size} of the expected error, and random choices leave the same.",
        Outcome.UNDECIDED: "Perhaps those of the list: they leave {size} of the expected error, which random choices "
        "can reach too.",
        Outcome.NOT_TESTED: "Those of the list: with them every candidate is measured, and none is left to predict.",
    },
    "selection": {
        Outcome.BETTER: "Yes: genes that reach much of the gene graph save {size} of the avoidable error, compared "
        "with random genes.",
        Outcome.WORSE: "No: genes that reach much of the gene graph leave {size} more avoidable error than random "
        "genes.",
        Outcome.NO_DIFFERENCE: "No: genes that reach much of the gene graph do as well as random genes, to within "
        "{least} of the avoidable error.",
        Outcome.UNDECIDED: "Cannot tell: genes that reach much of the gene graph leave {size} {less} avoidable error "
        "than random genes, which chance can explain.",
        Outcome.NOT_TESTED: "Cannot tell: the screen was divided too few times to test a choice against random genes.",
    },
    "prediction": {
        Outcome.BETTER: "Yes: {name} predicts unmeasured perturbations with {size} less error than the average effect.",
        Outcome.WORSE: "No: {name} makes {size} more error than the average effect, so use the average.",
        Outcome.NO_DIFFERENCE: "No: {name} does as well as the average effect, to within {least} of its error.",
        Outcome.UNDECIDED: "Cannot tell: {name} makes {size} {less} error than the average effect, which chance can "
        "explain.",
        Outcome.NOT_TESTED: "Cannot tell: too few perturbations were held out to test a prediction.",
    },
}
MARKS = {
    Outcome.BETTER: "yes",
    Outcome.WORSE: "no",
    Outcome.NO_DIFFERENCE: "no",
    Outcome.UNDECIDED: "cannot tell",
    Outcome.NOT_TESTED: "cannot tell",
}


@dataclass(frozen=True)
class Card:
    """A question of the first screen (`key` of `QUESTIONS`) with its answer.

    `sentences`: one; of a user's study up to three. `value`, `low`, `high`, `line`: what is drawn, a number, its
    interval, and what it is compared with; NaN where there is none. `basis`: what the answer rests on, in a few words.
    """

    key: str
    sentences: tuple[str, ...]
    outcome: Outcome
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    line: float = math.nan
    basis: str = ""

    @property
    def question(self) -> str:
        return QUESTIONS[self.key]

    @property
    def mark(self) -> str:
        return MARKS[self.outcome]


def card(key: str, compared: Contrast, basis: str = "", name: str = "") -> Card:
    """Answer of a comparison in percent; `name` is the plain name of what its sentence is about."""
    unit = unit_of(key)
    up = compared.difference >= 0
    text = SENTENCES[key][compared.outcome].format(
        size=size(compared.difference, unit),
        least=f"{compared.smallest_difference:.2g}{unit}",
        less="less" if up else "more",
        raises="raises" if up else "lowers",
        name=name,
    )
    values = compared.difference, compared.low, compared.high
    return Card(key, (text,), compared.outcome, *values, line=0.0, basis=basis or compared.n)


def share_card(
    key: str, outcome: Outcome, share: tuple[float, float, float], line: float, basis: str, name: str = ""
) -> Card:
    """Answer with a percentage: `share` is (value, low, high), `line` what it is compared with."""
    text = SENTENCES[key][outcome].format(size=size(share[0], "%"), name=name)
    return Card(key, (text,), outcome, *share, line=line, basis=basis)


def collected(samples: int, basis: str) -> Card:
    """What the run rests on; a run without samples has nothing to show."""
    text = f"{samples:,} samples passed every check." if samples != 1 else "1 sample passed every check."
    return Card("collected", (text,), Outcome.BETTER if samples else Outcome.WORSE, basis=basis)


def unit_of(key: str) -> str:
    """Unit of what a question's answer is measured in."""
    return " percentage points" if key == "guide" else "%"


def size(value: float, unit: str) -> str:
    """'12%', '3.4 percentage points', 'less than 0.1%'; the sign is said in words."""
    value = abs(value)
    if value < 0.05:
        return f"less than 0.1{unit}"
    return f"{value:.0f}{unit}" if value >= 9.95 else f"{value:.1f}{unit}"
