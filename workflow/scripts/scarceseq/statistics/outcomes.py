"""What the interval of a difference says: five outcomes and one rule, for every comparison of the project."""

import math
from enum import StrEnum


class Outcome(StrEnum):
    """What a comparison says. The values are the words of tables and sentences."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference"
    UNDECIDED = "undecided"
    NOT_TESTED = "not tested"


MEANINGS = {
    Outcome.BETTER: "the interval lies above 0",
    Outcome.WORSE: "the interval lies below 0",
    Outcome.NO_DIFFERENCE: "the interval holds 0 and rules out the smallest difference that matters on both sides",
    Outcome.UNDECIDED: "the interval holds 0 and does not rule out a difference that matters",
    Outcome.NOT_TESTED: "there is no interval; the reason is given",
}


def meanings() -> str:
    """What the outcomes mean, one sentence each."""
    return " ".join(f"{kind.capitalize()}: {meaning}." for kind, meaning in MEANINGS.items())


def outcome(low: float | None, high: float | None, smallest_difference: float = math.nan) -> Outcome:
    """The outcome of a comparison, from the interval of its difference: positive is better; None or NaN if none.

    `smallest_difference` is the smallest that matters; NaN if none was set: then nothing can show that there is none.
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return Outcome.NOT_TESTED
    if low > 0:
        return Outcome.BETTER
    if high < 0:
        return Outcome.WORSE
    return Outcome.NO_DIFFERENCE if -smallest_difference < low and high < smallest_difference else Outcome.UNDECIDED
