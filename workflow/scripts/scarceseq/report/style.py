"""The look that all figures share: fonts, a palette that colour-blind readers can tell apart, deterministic SVG."""

import io
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from html import escape
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from scarceseq.report.value_text import text_of
from scarceseq.report.wording import count
from scarceseq.safe_text import without_control

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, BLACK, GREY, LIGHT = "#56B4E9", "#E69F00", "#1a1a1a", "#7a7a7a", "#c9ced3"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY, BLACK, GREY)
"""Eight colours after Okabe and Ito (2008), yellow left out: it vanishes on white."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
ROLE_COLOURS = {"pretrain": GREY, "scout": SKY, "validation": AMBER, "test": ORANGE}

_SETTINGS: Any = {
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
POINTS_TOLD = 2_000
"""Most points of one scatter or line that each get a text of their own."""

styled = matplotlib.rc_context(_SETTINGS)
"""Decorator of every function that draws: the shared settings hold while it does."""


def figure(
    width: float = 8.0, height: float = 3.2, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, np.ndarray]:
    """Empty figure, in inches, and its axes (rows, columns); `options` go to `Figure.subplots` (`sharex`, ...)."""
    drawn = Figure(figsize=(width, height), layout="constrained")
    return drawn, drawn.subplots(rows, columns, squeeze=False, **options)


def rows(ax: Axes, names: Collection[str], **looks: Any) -> None:
    """Name the rows of a figure, the first at the top, and draw lines down from its ticks; `looks` go to `Axes.set`."""
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - 0.4, -0.6), **looks)
    ax.grid(True, axis="x")


def tell(artists: Artist | Sequence[Artist], text: str, points: Iterable[str] = ()) -> None:
    """Have marks say what they are: `svg` writes the texts as titles, which browsers show where the reader points.

    `artists` is what a method of the axes returned, `text` that of the whole mark, `points` those of each point of a
    scatter or marker of a line, in the order of the data. They are left out above `POINTS_TOLD` points, so that the
    page stays small: these tell the text of the whole.
    """
    for artist in artists if isinstance(artists, (list, tuple)) else [artists]:
        artist.told = text, list(points)


def tell_bins(bars: BarContainer, counted: tuple[str, str], along: str, whole: bool = False) -> None:
    """Have the bars of a histogram say how many they count, and where: '12 samples: 3,000 to 4,000 genes above zero'.

    `counted`: what is counted, singular and plural. `along`: along what, with {} for the ends of the bar. `whole`: name
    the whole numbers inside a bar instead of its edges.
    """
    for bar in bars:
        low, high = bar.get_x(), bar.get_x() + bar.get_width()
        low, high = (text_of(edge) for edge in ((int(np.ceil(low)), int(np.ceil(high)) - 1) if whole else (low, high)))
        place = low if low == high else f"{low} to {high}"
        if bar.get_height():
            tell(bar, f"{count(int(bar.get_height()), *counted)}: {along.format(place)}")


def svg(drawn: Figure, name: str) -> str:
    """SVG of a figure: text stays text, marks have the titles that `tell` gave them, equal figures give equal bytes.

    `name` is the salt of the identifiers inside, so that two figures on one page do not share them.
    """
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    marks = drawn.findobj(lambda artist: hasattr(artist, "told"))
    for index, artist in enumerate(marks):
        artist.set_gid(f"mark_{index}")
    with matplotlib.rc_context({**_SETTINGS, "svg.hashsalt": name}):
        buffer = io.StringIO()
        drawn.savefig(buffer, format="svg", metadata=nothing, dpi=200)  # of what is rasterised
    return without_control(_titled(buffer.getvalue(), {artist.get_gid(): artist for artist in marks}))


def _titled(text: str, marks: dict[str, Any]) -> str:
    """SVG with titles in the groups of marks, by identifier, and in the points inside."""
    pieces = text.split('<g id="')  # one artist each: groups without an identifier are inside those with one
    for index, piece in enumerate(pieces):
        name, _, inside = piece.partition('">')
        if name in marks:
            points = _points_told(marks[name])
            inside = _titled_points(inside, iter(points)) if points else inside
            pieces[index] = f'{name}">{_title(marks[name].told[0])}{inside}'
    return '<g id="'.join(pieces)


def _points_told(artist: Any) -> list[str]:
    """Texts of the points that are drawn, which those without a place are not; none if some lie outside the figure."""
    _, points = artist.told
    if not 0 < len(points) <= POINTS_TOLD:
        return []
    if hasattr(artist, "get_offsets"):
        places = artist.get_offset_transform().transform(np.ma.filled(artist.get_offsets(), np.nan))
    else:
        places = artist.get_transform().transform(artist.get_xydata())
    finite = np.isfinite(places).all(axis=1)
    box = artist.get_figure(root=True).bbox
    if not all(box.contains(*place) for place in places[finite]):  # there, matplotlib draws fewer or more points
        return []
    return [text for text, flag in zip(points, finite, strict=True) if flag]


def _titled_points(inside: str, texts: Iterator[str]) -> str:
    return re.sub("<use ([^>]*)/>", lambda use: f"<use {use[1]}>{_title(next(texts))}</use>", inside)


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def inline(text: str, name: str, label: str) -> str:
    """The same SVG for use inside an HTML page: no prologue, identifiers made unique, a name for screen readers.

    It is a group to them, not an image: of an image they would read no titles of marks.
    """
    body = text[text.index("<svg") :]
    body = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", body)
    short: dict[str, str] = {}
    prefix = f"{zlib.crc32(name.encode()):x}-"
    for index, old in enumerate(dict.fromkeys(re.findall(r'\sid="([^"]+)"', body))):
        short[old] = f"{prefix}{index}"
    body = re.sub(r'\sid="([^"]+)"', lambda match: f' id="{short[match[1]]}"', body)
    body = re.sub(r"url\(#([^)]+)\)", lambda match: f"url(#{short[match[1]]})", body)
    body = re.sub(r'\s(?:xlink:)?href="#([^"]+)"', lambda match: f' href="#{short[match[1]]}"', body)
    body = compact(body)
    pixels = float(re.findall(r'viewBox="0 0 ([\d.]+) ', body)[0]) * 4 / 3
    size = f"width:100%;min-width:{min(pixels, 540):.0f}px;max-width:{pixels:.0f}px;height:auto"
    head = f'<svg role="group" aria-label="{label}" style="{size}"'
    return re.sub(r'<svg((?:\s+(?:height|width)="[^"]*")*)', head, body, count=1)


def compact(body: str) -> str:
    """SVG in fewer bytes: places to a hundredth of a point, no invisible paths, no white space between tags."""
    body = re.sub(r'<path [^>]*style="fill: none"/>', "", body)

    def rounded(match: re.Match[str]) -> str:
        values = re.sub(r"-?\d+\.\d{3,}", lambda decimal: f"{float(decimal[0]):.2f}", match[2])
        return f'{match[1]}"{" ".join(values.split())}"'

    body = re.sub(r'(\s(?:d|x|y|points|transform)=)"([^"]*)"', rounded, body)
    body = re.sub(r'style="([^"]*)"', lambda match: match[0].replace(": ", ":").replace("; ", ";"), body)
    return re.sub(r">\s*\n\s*<", "><", body)


def plain_number(value: float, _position: int | None = None) -> str:
    """Tick text without powers or mathematics: 0.01, 1, 20k, 3M."""
    for size, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.3g}"


def plain_ticks(axis: Axis) -> None:
    """Write large numbers of an axis as 20k, 3M."""
    axis.set_major_formatter(FuncFormatter(plain_number))


def logarithmic(ax: Axes, which: str = "x") -> None:
    """Make an axis logarithmic with plain tick texts."""
    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = sorted(ax.get_xlim() if which == "x" else ax.get_ylim())
    steps = (1.0,) if high / max(low, 1e-300) > 100 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(base=10, subs=steps, numticks=12))
    axis.set_major_formatter(FuncFormatter(plain_number))
    axis.set_minor_formatter(NullFormatter())
