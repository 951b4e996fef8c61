"""The samples of a user's own study, before anything is predicted: what they are, and what cannot be told apart."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.blocks import Block, Paragraph, Picture, Section, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.wording import count

MOST_PANELS, MOST_VALUES = 6, 8
WARNED = ("confounded", "sex", "tissue", "copies")


@style.styled
def components_figure(
    components: pd.DataFrame, columns: Sequence[str], explained: Sequence[float], flagged: set[str]
) -> Figure:
    """The first two components of the study once for each column, coloured by it; flagged samples are ringed."""
    across = min(3, len(columns))
    down = -(-len(columns) // across)
    drawn, axes = style.figure(2.9 * across + 0.4, 2.7 * down + 0.3, rows=down, columns=across)
    for ax, column in zip(axes.ravel(), columns, strict=False):
        values = components[column].fillna("missing").astype(str)
        for place, value in enumerate(sorted(values.unique())):
            rows = components[values == value]
            look = {"marker": style.MARKERS[place % 8], "color": style.PALETTE[place % 8], "ls": "none", "ms": 6}
            dots = ax.plot(rows["component_1"], rows["component_2"], label=value, **look)
            style.tell(dots, value, [f"{name}: {value}" for name in rows["sample"]])
        odd = components[components["sample"].isin(flagged)]
        ax.plot(odd["component_1"], odd["component_2"], marker="o", ms=12, mfc="none", mec=style.BLACK, ls="none")
        ax.set_title(column)
        ax.legend(loc="best", fontsize=7)
        ax.set(xlabel=f"component 1 ({explained[0]:.0%})", ylabel=f"component 2 ({explained[1]:.0%})")
    for ax in axes.ravel()[len(columns) :]:
        ax.axis("off")
    return drawn


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if there is no study of the user's own."""
    if not inputs.has("own_quality"):
        return None
    table, columns, components = (inputs.table(f"own_quality{name}") for name in ("", "_columns", "_components"))
    ((_, summary),) = inputs.values("own_quality_json")
    table["flags"] = table["flags"].fillna("")
    blocks: list[Block] = [Paragraph(_lead(summary), "finding")]
    blocks += [Paragraph(note["text"], "warning" if note["kind"] in WARNED else "plain") for note in summary["notes"]]
    described = [name for name in components.columns if not name.startswith("component_")]
    drawn = [name for name in described if 1 < components[name].nunique() <= MOST_VALUES][:MOST_PANELS]
    flagged = table[table["flags"] != ""]
    if drawn and len(summary["explained"]) > 1:
        picture = Picture(
            "own_components",
            components_figure(components, drawn, summary["explained"], set(flagged["sample"])),
            "Your samples by their most variable genes",
            "Each dot is a sample; dots that are near have like expression. Each panel shows the same dots, coloured "
            "by another column of your table. A ring marks a flagged sample.",
            count(len(components), "sample"),
            "A column whose colours part along the first component dominates the study; if it is not your question, it "
            "may hide the answer.",
        )
        blocks.append(picture)
    note = (
        "Flagged: over three robust standard deviations from the median and by a least distance; another sex by Xist "
        "and the genes of the Y than declared; markers of a tissue 16-fold off the class; the same library twice. "
        "Nothing is removed. A swap of two samples of one sex and class cannot be seen."
    )
    shown, folded = (flagged, False) if len(flagged) else (None, True)
    blocks.append(Table("own_quality", table, "Checks of each sample", note, shown, folded))
    if len(columns):
        text = "Strength: Cramer's V. Told by other: share of samples whose value the other column tells."
        blocks.append(Table("own_quality_columns", columns, "Columns of your table against each other", text))
    return Section("own_samples", "Your samples", blocks)


def _lead(summary: dict[str, object]) -> str:
    """The first sentence of the section."""
    total, flagged = count(int(str(summary["samples"])), "sample"), int(str(summary["flagged"]))
    if not flagged:
        return f"None of the {total} is flagged."
    return f"{flagged} of {total} {'is' if flagged == 1 else 'are'} flagged; look at them before you trust an answer."
