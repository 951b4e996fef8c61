"""The one writer of sentences about comparisons: what was compared, by how much, interval, n, outcome."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scarceseq.statistics.outcomes import Outcome, outcome

CLEAR = (Outcome.BETTER, Outcome.WORSE)
LEAST_SEEDS = 5
"""Pre-training seeds that a claim beyond the models at hand needs."""


@dataclass(frozen=True)
class Contrast:
    """One comparison, subject against rival (in plain words), with all that its sentence says.

    `difference`, `low`, `high`: oriented, positive means that the subject is better; NaN bounds where there is no
    interval. `n`: what the interval rests on, ``6 studies, 40 episodes``. `measure`: what `difference` is, such as
    ``squared error saved``. `smallest_difference`: the smallest that matters, in the same unit; NaN if none was set.
    `place`: where it was compared, ``tissue, 2-way 1-shot``. `unit`: ``%`` for percentages. `values`: the measure of
    subject and rival themselves. `reason`: why there is no interval. `p_adjusted`: p value after Holm's adjustment, NaN
    without one; said where the outcome is better or worse.
    """

    subject: str
    rival: str
    difference: float
    low: float
    high: float
    n: str
    measure: str = "difference in balanced accuracy"
    smallest_difference: float = math.nan
    place: str = ""
    unit: str = ""
    decimals: int = 3
    values: tuple[float, float] | None = None
    reason: str = ""
    p_adjusted: float = math.nan

    @property
    def outcome(self) -> Outcome:
        return outcome(self.low, self.high, self.smallest_difference)


def sentence(contrast: Contrast) -> str:
    """One sentence about one comparison: at most 40 words, if the names are no more than ten."""
    subject, rival, least = contrast.subject, contrast.rival, _size(contrast, contrast.smallest_difference)
    figures = f"({_figures(contrast)})"
    text = {
        Outcome.BETTER: f"{subject} does better than {rival} {figures}",
        Outcome.WORSE: f"{subject} does worse than {rival} {figures}",
        Outcome.NO_DIFFERENCE: f"{subject} does as well as {rival} to within {least} {figures}",
        Outcome.UNDECIDED: f"whether {subject} does better than {rival} is undecided {figures}",
        Outcome.NOT_TESTED: f"{subject} was not tested against {rival}: {contrast.reason or 'there is no interval'}",
    }[contrast.outcome]
    if contrast.outcome == Outcome.UNDECIDED and math.isfinite(contrast.smallest_difference):
        text += f"; {least} is not ruled out"
    if contrast.outcome == Outcome.NOT_TESTED and math.isfinite(contrast.difference):
        text += f" {figures}"
    return f"{_start(contrast.place)}: {text}." if contrast.place else f"{_start(text)}."


def sentence_of_all(contrasts: Sequence[Contrast], opening: str = "", alpha: float = 0.05) -> str:
    """One sentence about several comparisons of one measure and unit: how many say what, and the mean difference.

    `opening`: what was compared, if the names of subject and rival do not say it. `alpha`: adjusted p value below which
    a clear difference holds, where p values were adjusted.
    """
    if not contrasts:
        return "Nothing was compared."
    outcomes = [each.outcome for each in contrasts]
    counts = ", ".join(f"{outcomes.count(each)} {each}" for each in Outcome if each in outcomes)
    mean = sum(each.difference for each in contrasts) / len(contrasts)
    first, total = contrasts[0], len(contrasts)
    rivals = {each.rival for each in contrasts}
    names = opening or (f"{first.subject} against {first.rival}" if len(rivals) == 1 else first.subject)
    text = f"{_start(names)}, {counted(total, 'comparison')}: {counts}"
    if math.isfinite(mean):
        text += f" (mean {first.measure} {_signed(first, mean)})"
    clear = [each for each in contrasts if each.outcome in CLEAR]
    if clear and total > 1 and any(math.isfinite(each.p_adjusted) for each in clear):
        held = sum(each.p_adjusted < alpha for each in clear)
        text += f"; {held} of the {len(clear)} clear ones hold{'s' * (held == 1)} after Holm's adjustment"
    return f"{text}."


def seed_caveat(fewest: int, most: int) -> str:
    """What so few pre-training seeds do not carry; empty if there are enough."""
    if fewest >= LEAST_SEEDS:
        return ""
    seeds = "one pre-training seed carries" if fewest == 1 else f"{fewest} pre-training seeds carry"
    start = "" if fewest == most else "Where there are fewer seeds than elsewhere: "
    text = f"{seeds} no claim beyond the base models at hand, which needs {LEAST_SEEDS}."
    return start + (text if start else _start(text))


def study_caveats(studies: Sequence[int], least_for_p: int) -> list[str]:
    """What few studies do not carry, from the number of studies of each comparison."""
    caveats = []
    if min(studies) == 1:
        caveats.append("What rests on one study holds for random divisions of it, and says nothing about others.")
    if min(studies) < least_for_p:
        caveats.append(
            f"Where there are fewer than {least_for_p} studies, no claim is made over several comparisons at once."
        )
    return caveats


def plain(name: object) -> str:
    """A key in plain words; what stands behind an @ is what it works on."""
    return str(name).replace("_", " ").replace("@", " on ")


def counted(count: int, singular: str, plural: str = "") -> str:
    """'1 study', '12 studies'."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def _figures(contrast: Contrast) -> str:
    texts = [f"{contrast.measure} {_signed(contrast, contrast.difference)}"]
    if math.isfinite(contrast.low) and math.isfinite(contrast.high):
        texts[0] += f" [{_signed(contrast, contrast.low)} to {_signed(contrast, contrast.high)}]"
    if contrast.values:
        one, other = (f"{value:.{contrast.decimals}f}{contrast.unit}" for value in contrast.values)
        texts.append(f"{one} against {other}")
    texts.append(contrast.n)
    if contrast.outcome in CLEAR and math.isfinite(contrast.p_adjusted):
        texts.append(f"adjusted p {contrast.p_adjusted:.2g}")
    return "; ".join(text for text in texts if text)


def _signed(contrast: Contrast, value: float) -> str:
    return f"{value:+.{contrast.decimals}f}{contrast.unit}"


def _size(contrast: Contrast, value: float) -> str:
    return f"{value:.{contrast.decimals}g}{contrast.unit}"


def _start(text: str) -> str:
    return text[:1].upper() + text[1:]
