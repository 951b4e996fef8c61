"""Estimates with their intervals, one row each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.wording import estimate


def draw_estimate(
    ax: Axes,
    place: float,
    values: Sequence[float],
    name: str,
    colour: str,
    marker: str = "o",
    size: float = 4.5,
    **bar: Any,
) -> None:
    """A mark at the mean and a bar over its interval, at height `place`, which tell their name and values.

    `values`: mean, low and high; the last two NaN if there is no interval. `name`: what is estimated, and of which
    method: 'linear probe, balanced accuracy'. `bar`: look of the bar, where it differs.
    """
    text, (mean, low, high) = f"{name}: {estimate(*values)}", values
    if np.isfinite([low, high]).all():
        look: dict[str, Any] = {"color": colour, "lw": 2.2, "alpha": 0.5, "solid_capstyle": "butt"} | bar
        style.tell(ax.plot([low, high], [place, place], **look), text)
    style.tell(ax.plot([mean], [place], marker=marker, color=colour, ms=size, ls="none"), text)


@style.styled
def forest_figure(contrasts: pd.DataFrame, names: list[str], label: str) -> Figure:
    """Difference and interval of each contrast beside a line at zero; `label` of the axis has the unit.

    `contrasts`: difference, low, high (NaN where there is no interval); positive favours the first of the two.
    """
    drawn, [[ax]] = style.figure(8.4, 0.9 + 0.24 * len(contrasts))
    ax.axvline(0, color=style.BLACK, lw=0.9)
    for place, row in enumerate(contrasts.itertuples()):
        clear = np.isfinite([row.low, row.high]).all() and (row.low > 0 or row.high < 0)
        colour = style.GREY if not clear else style.BLUE if row.difference > 0 else style.ORANGE
        draw_estimate(ax, place, (row.difference, row.low, row.high), names[place], colour, size=5, alpha=0.6)
    style.rows(ax, names, xlabel=f"{label} (right: the first is better)")
    return drawn
