"""The look that all figures share: fonts, a palette that colour-blind readers can tell apart, deterministic SVG."""

import io
import re

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, BLACK, GREY, LIGHT = "#56B4E9", "#E69F00", "#1a1a1a", "#7a7a7a", "#c9ced3"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY, BLACK, GREY)
"""Eight colours after Okabe and Ito (2008), yellow left out: it vanishes on white."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
ROLE_COLOURS = {"pretrain": GREY, "scout": SKY, "validation": AMBER, "test": ORANGE}

_SETTINGS = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": "#e4e7ea",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "figure.facecolor": "white",
    "svg.fonttype": "none",
    "text.parse_math": False,
}


styled = matplotlib.rc_context(_SETTINGS)
"""Decorator of every function that draws: the shared settings hold while it does."""


def figure(width=8.0, height=3.2, rows=1, columns=1, **options):
    """Empty figure and its axes in the shared style.

    Parameters
    ----------
    width, height : float
        Inches.
    rows, columns : int
    **options
        Passed to `Figure.subplots` (`sharex`, ...).

    Returns
    -------
    (Figure, numpy.ndarray of Axes, (rows, columns))
    """
    drawn = Figure(figsize=(width, height), layout="constrained")
    return drawn, drawn.subplots(rows, columns, squeeze=False, **options)


def svg(drawn, name):
    """SVG of a figure: text stays text, equal figures give equal bytes.

    Parameters
    ----------
    drawn : Figure
    name : str
        Salt of the identifiers inside, so that two figures on one page do not share them.

    Returns
    -------
    str
    """
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with matplotlib.rc_context({**_SETTINGS, "svg.hashsalt": name}):
        buffer = io.StringIO()
        drawn.savefig(buffer, format="svg", metadata=nothing)
    return buffer.getvalue()


def inline(text, name, label):
    """The same SVG for use inside an HTML page: no prologue, identifiers made unique, a name for screen readers."""
    body = text[text.index("<svg") :]
    body = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", body)
    body = body.replace(' id="', f' id="{name}-').replace("url(#", f"url(#{name}-")
    body = body.replace('href="#', f'href="#{name}-')
    pixels = float(re.findall(r'viewBox="0 0 ([\d.]+) ', body)[0]) * 4 / 3
    size = f"width:100%;min-width:{min(pixels, 540):.0f}px;max-width:{pixels:.0f}px;height:auto"
    head = f'<svg role="img" aria-label="{label}" style="{size}"'
    return re.sub(r'<svg((?:\s+(?:height|width)="[^"]*")*)', head, body, count=1)


def plain_number(value, _position=None):
    """Tick text without powers or mathematics: 0.01, 1, 20k, 3M."""
    for size, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.3g}"


def plain_ticks(axis):
    """Write large numbers of an axis as 20k, 3M."""
    axis.set_major_formatter(FuncFormatter(plain_number))


def logarithmic(ax, which="x"):
    """Make an axis logarithmic with plain tick texts."""
    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = sorted(ax.get_xlim() if which == "x" else ax.get_ylim())
    steps = (1.0,) if high / max(low, 1e-300) > 100 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(base=10, subs=steps, numticks=12))
    axis.set_major_formatter(FuncFormatter(plain_number))
    axis.set_minor_formatter(NullFormatter())
