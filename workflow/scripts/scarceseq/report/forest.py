"""Differences with their intervals, one row each."""

import numpy as np

from scarceseq.report import style


@style.styled
def forest_figure(contrasts, names, label):
    """Difference and interval of each contrast beside a line at zero.

    Parameters
    ----------
    contrasts : pandas.DataFrame
        difference, low, high (NaN where there is no interval); positive favours the first of the two.
    names : list of str
        Name of each row.
    label : str
        Of the axis, with the unit.

    Returns
    -------
    Figure
    """
    drawn, axes = style.figure(8.4, 0.9 + 0.24 * len(contrasts))
    ax = axes[0, 0]
    ax.axvline(0, color=style.BLACK, lw=0.9)
    for place, row in enumerate(contrasts.itertuples()):
        known = np.isfinite([row.low, row.high]).all()
        clear = known and (row.low > 0 or row.high < 0)
        colour = style.GREY if not clear else style.BLUE if row.difference > 0 else style.ORANGE
        if known:
            ax.plot([row.low, row.high], [place, place], color=colour, lw=2.2, alpha=0.6, solid_capstyle="butt")
        ax.plot([row.difference], [place], marker="o", color=colour, ms=5)
    ax.set_yticks(range(len(contrasts)), names)
    ax.set_ylim(len(contrasts) - 0.4, -0.6)
    ax.grid(True, axis="x")
    ax.set_xlabel(f"{label} (right: the first is better)")
    return drawn
