"""Keys, counts and estimates in plain words."""

from collections.abc import Collection, Iterable

import numpy as np

from scarceseq.report.value_text import text_of
from scarceseq.statistics.writer import counted, plain

words, count = plain, counted
"""The spelling of names and counts is that of sentences about comparisons."""


def estimate(mean: float, low: float = np.nan, high: float = np.nan) -> str:
    """'0.812 (0.750 to 0.860)', or '0.812' if there is no interval."""
    text = text_of(mean)
    return f"{text} ({text_of(low)} to {text_of(high)})" if np.isfinite([low, high]).all() else text


def span(numbers: Collection[float], singular: str = "", plural: str | None = None) -> str:
    """'12', or '3 to 12' if the numbers differ; of something, '1 study', '3 to 12 studies'."""
    low, high = int(min(numbers)), int(max(numbers))
    text = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{text} {singular if high == 1 else plural or singular + 's'}" if singular else text


def listed(names: Iterable[str]) -> str:
    """'a', 'a and b', 'a, b and c', in plain words."""
    names = [words(name) for name in names]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
