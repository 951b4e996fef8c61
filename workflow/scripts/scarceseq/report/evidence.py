"""How sure the answers of the first screen are: pooled comparisons, what was asked beforehand apart from the rest."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.blocks import Paragraph, Picture, Question, Section, Table
from scarceseq.report.forest import draw_estimate
from scarceseq.statistics.outcomes import Outcome, meanings

COLUMNS = ["question", "kind", "subject", "rival", "measure", "difference", "low", "high", "outcome", "basis"]
COLOURS = {Outcome.BETTER: style.BLUE, Outcome.WORSE: style.ORANGE}


def table(questions: Sequence[Question]) -> pd.DataFrame:
    """One row per pooled comparison: `COLUMNS`."""
    rows = [
        (
            question.card.question,
            "primary" if planned else "secondary",
            *(each.subject, each.rival, each.measure, each.difference, each.low, each.high),
            *(each.outcome.value, each.n),
        )
        for question in questions
        for each, planned in question.compared
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


@style.styled
def forest_figure(rows: pd.DataFrame) -> Figure:
    """A panel per question and measure of `table`; planned comparisons large, the others small."""
    panels = list(rows.groupby(["question", "measure"], sort=False))
    heights = [0.7 + 0.24 * len(group) for _, group in panels]
    drawn, axes = style.figure(8.4, 0.35 * len(panels) + sum(heights), rows=len(panels), height_ratios=heights)
    for ax, ((question, measure), group) in zip(axes[:, 0], panels, strict=True):
        _panel(ax, group)
        ax.set(title=question, xlabel=measure)
    return drawn


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    ax.axvline(0, color=style.BLACK, lw=0.9)
    names = [f"{row.subject} against {row.rival}" for row in rows.itertuples()]
    for place, row in enumerate(rows.itertuples()):
        colour = COLOURS.get(Outcome(row.outcome), style.GREY)
        marker, size, width = ("D", 7.0, 4) if row.kind == "primary" else ("o", 3.5, 1.5)
        values, name = (row.difference, row.low, row.high), f"{names[place]}, {row.kind}"
        draw_estimate(ax, place, values, name, colour, marker, size, lw=width)
    style.rows(ax, names)
    for tick, kind in zip(ax.get_yticklabels(), rows["kind"], strict=True):
        tick.set_fontsize(9 if kind == "primary" else 7.5)


def section(questions: Sequence[Question]) -> Section | None:
    """Section of the page, or None if nothing was compared."""
    rows = table(questions)
    if rows.empty:
        return None
    clear = int(rows["outcome"].isin([Outcome.BETTER.value, Outcome.WORSE.value]).sum())
    planned = int((rows["kind"] == "primary").sum())
    text = (
        f"{planned} of these {len(rows)} comparisons were asked beforehand, and {clear} of all leave zero out. Each "
        "pools those of its kind; the sections below have them one by one."
    )
    picture = Picture(
        "answers_forest",
        forest_figure(rows),
        "The answers, each with its interval",
        "Right of the line the first is better. "
        "Large diamonds: asked beforehand (primary). Small dots: everything else (secondary). Blue leaves zero out in "
        "favour of the first, orange in favour of the second; grey does not.",
        f"{len(rows)} pooled comparisons; the table says what each rests on.",
        "An interval here is as wide as its comparisons' are on average, since they share studies; of many small dots "
        "some leave zero out by chance.",
    )
    comparisons = Table("answers_pooled", rows, "The pooled comparisons", meanings())
    return Section("evidence", "How sure the answers are", [Paragraph(text), picture, comparisons])
