"""The small pictures of the first screen, as plain SVG: a dot with its interval against a line, or a curve."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from scarceseq.report.style import BLUE, GREY, ORANGE
from scarceseq.statistics.cards import Card, unit_of
from scarceseq.statistics.outcomes import Outcome

WIDTH, HEIGHT, EDGE = 240, 44, 12
COLOURS = {Outcome.BETTER: BLUE, Outcome.WORSE: ORANGE}
POINTS = 60


def interval_svg(card: Card) -> str:
    """A dot, a bar over its interval, and a line at what it is compared with; empty if there is no number."""
    values = [value for value in (card.value, card.low, card.high, card.line) if math.isfinite(value)]
    if not math.isfinite(card.value):
        return ""
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.12
    low, high = low - room, high + room

    def place(value: float) -> float:
        return round(EDGE + (value - low) / (high - low) * (WIDTH - 2 * EDGE), 1)

    colour, middle = COLOURS.get(card.outcome, GREY), HEIGHT / 2
    marks = []
    if math.isfinite(card.line):
        x = place(card.line)
        marks.append(f'<path d="M{x} 4V{HEIGHT - 4}" stroke="currentColor" stroke-dasharray="4 3"/>')
    if math.isfinite(card.low) and math.isfinite(card.high):
        ends = f"M{place(card.low)} {middle}H{place(card.high)}"
        marks.append(f'<path d="{ends}" stroke="{colour}" stroke-width="6" opacity=".45"/>')
    marks.append(f'<circle cx="{place(card.value)}" cy="{middle}" r="6" fill="{colour}"/>')
    return _drawing(
        marks, interval_text(card) + (f", against {_rounded(card.line)}" if math.isfinite(card.line) else "")
    )


def interval_text(card: Card) -> str:
    """The drawn numbers: '3.1% (-0.2 to 6.4)'; empty if there is none."""
    if not math.isfinite(card.value):
        return ""
    text = _rounded(card.value) + unit_of(card.key)
    if math.isfinite(card.low) and math.isfinite(card.high):
        text += f" ({_rounded(card.low)} to {_rounded(card.high)})"
    return text


def _rounded(value: float) -> str:
    """To one digit, and no nought below nought."""
    return f"{round(value, 1) + 0.0:.1f}"


def curve_svg(lines: Sequence[tuple[np.ndarray, np.ndarray]], label: str) -> str:
    """Lines on shared axes, the first in blue, the others grey and dashed; at most `POINTS` points each."""
    finite = [(x[np.isfinite(y)], y[np.isfinite(y)]) for x, y in lines]
    x_all, y_all = (np.concatenate([line[axis] for line in finite]) for axis in (0, 1))
    if len(x_all) < 2:
        return ""
    marks = []
    for index, (x, y) in reversed(list(enumerate(finite))):
        kept = np.unique(np.linspace(0, len(x) - 1, min(POINTS, len(x))).astype(int))
        across = EDGE + (x[kept] - x_all.min()) / (np.ptp(x_all) or 1) * (WIDTH - 2 * EDGE)
        up = HEIGHT - 4 - (y[kept] - y_all.min()) / (np.ptp(y_all) or 1) * (HEIGHT - 8)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True))
        look = f'stroke="{GREY}" stroke-dasharray="4 3"' if index else f'stroke="{BLUE}" stroke-width="2.5"'
        marks.append(f'<polyline points="{points}" fill="none" {look}/>')
    return _drawing(marks, label)


def _drawing(marks: list[str], label: str) -> str:
    return (
        f'<svg class="small" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(marks)}</svg>"
    )
