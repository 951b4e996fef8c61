"""A list of genes to perturb on one printed page: what it reaches, its first genes, the plates."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scarceseq.report import style
from scarceseq.report.design import about, draw_error, sentence
from scarceseq.report.hits import draw_responses
from scarceseq.report.wording import count

A4 = (8.27, 11.69)
MARGIN = 0.6  # inches
LISTED, PLATES_DRAWN = 14, 2
FILL = {"control": style.AMBER, "empty": "white"}


@style.styled
def sheet_figure(
    name: str, order: pd.DataFrame, plates: pd.DataFrame, curve: pd.DataFrame, summary: Mapping[str, Any]
) -> Figure:
    """The page of the run `name` as a figure; the tables and the summary are from `scarceseq.design.design.design`."""
    drawn = Figure(figsize=A4)
    text = [*textwrap.wrap(sentence(summary), 108), *textwrap.wrap(about(summary), 108)]
    top = 1 - 0.55 / A4[1]
    drawn.text(MARGIN / A4[0], top, f"Genes to perturb: {name}", fontsize=15, weight="bold", va="bottom")
    drawn.text(MARGIN / A4[0], top - 0.008, "\n".join(text), fontsize=8.5, va="top", linespacing=1.35)
    below = A4[1] - 0.7 - 0.17 * len(text)
    curves = _axes(drawn, below - 2.55, 2.3, left=0.75)
    if summary["hits"]:
        draw_responses(curves, order, summary)
    else:
        draw_error(curves, curve, summary)
    below -= 3.2
    height = 0.145 * (min(LISTED, len(order)) + 1)
    _draw_list(_axes(drawn, below - height, height), order)
    below -= height + 0.35
    _draw_plates(drawn, plates, below)
    return drawn


def _axes(drawn: Figure, bottom: float, height: float, left: float = 0.0) -> Axes:
    """Axes over the width of the page; `bottom` and `height` in inches, `left` to be kept free."""
    width = A4[0] - 2 * MARGIN - left
    return drawn.add_axes([(MARGIN + left) / A4[0], bottom / A4[1], width / A4[0], height / A4[1]])


def _draw_list(ax: Axes, order: pd.DataFrame) -> None:
    """The first genes with their gains and what they cover."""
    ax.set_axis_off()
    hits = "expected_response" in order
    shown = order.head(LISTED)
    third = "expected" if hits else "error left"
    titles = ("rank", "gene", "gain", third, "covers first (the most valuable)")
    places = ((0.03, "right"), (0.05, "left"), (0.23, "right"), (0.31, "right"), (0.34, "left"))
    for title, (x, side) in zip(titles, places, strict=True):
        ax.text(x, 1, title, weight="bold", fontsize=7.5, ha=side, va="top")
    for line, row in enumerate(shown.itertuples(), 1):
        expected = f"{row.expected_response:.3g}" if hits else f"{row.expected_error:.1f}%"
        covers = textwrap.shorten(str(row.covers), 82, placeholder=" ...")
        cells = f"{row.rank}", row.gene, f"{row.gain:.3g}", expected, covers
        for cell, (x, side) in zip(cells, places, strict=True):
            ax.text(x, 1 - line / (len(shown) + 1), cell, fontsize=7.5, ha=side, va="top")
    if len(order) > LISTED:
        ax.text(0.05, -0.02, f"and {len(order) - LISTED:,} more: order.tsv", fontsize=7.5, color=style.GREY, va="top")


def _draw_plates(drawn: Figure, plates: pd.DataFrame, below: float) -> None:
    """The first plates, down from `below` inches."""
    numbers = sorted(set(plates["plate"]))
    each = min((below - 0.45) / min(len(numbers) or 1, PLATES_DRAWN), 2.9)
    for plate in numbers[:PLATES_DRAWN]:
        ax = _axes(drawn, below - each + 0.05, each - 0.3, left=0.2)
        _draw_plate(ax, plates[plates["plate"] == plate], plate, numbers[-1])
        below -= each
    left = len(numbers) - PLATES_DRAWN
    if left > 0:
        drawn.text(MARGIN / A4[0], 0.02, f"and {count(left, 'more plate')}: plates.tsv", fontsize=7.5, color=style.GREY)


def _draw_plate(ax: Axes, plate: pd.DataFrame, plate_number: int, last: int) -> None:
    """One plate: genes shaded by their rank, the first ones darkest; wells for controls and free ones."""
    rows, columns = sorted(set(plate["row"])), int(plate["column"].max())
    high = max(int(plate["rank"].max()), 1)
    for well in plate.itertuples():
        x, y = well.column - 1, rows.index(well.row)
        share = 0.12 + 0.33 * (1 - well.rank / high)
        face = (0, 0.447, 0.698, share) if well.content == "gene" else FILL[well.content]
        ax.add_patch(Rectangle((x, y), 1, 1, facecolor=face, edgecolor="white", lw=0.8))
        text = {"gene": well.gene, "control": well.control.replace("-", "-\n", 1), "empty": ""}[well.content]
        longest = max(map(len, text.split("\n")))
        size = min(66 / columns, 66 / columns * 8 / max(longest, 1))
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=min(size, 6.5))
    ax.set_xlim(0, columns)
    ax.set_ylim(len(rows), 0)
    ax.set_xticks(np.arange(columns) + 0.5, [str(column) for column in range(1, columns + 1)], fontsize=6.5)
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=6.5)
    ax.tick_params(length=0, labeltop=True, labelbottom=False, pad=1)
    ax.spines[:].set_visible(False)
    ax.set_title(f"plate {plate_number} of {last}", fontsize=8.5, pad=12)
