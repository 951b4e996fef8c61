"""Texts from outside in tables and figures: nothing that a spreadsheet runs, nothing that breaks a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


# A spreadsheet takes a cell that begins so for a formula, whatever it is quoted with.
RISKY = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|nan)", re.IGNORECASE | re.ASCII)
HARMLESS = ("+", "-")
# What XML 1.0 forbids, lone surrogates and the C1 block, which it discourages.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def safe_cell(value: Any) -> Any:
    """A text that a spreadsheet could run, behind an apostrophe; numbers, a lone sign and all else as they are."""
    if not isinstance(value, str) or not RISKY.match(value):
        return value
    return value if value in HARMLESS or NUMBER.fullmatch(value) else f"'{value}"


def original_cell(value: Any) -> Any:
    """What `safe_cell` was given."""
    return value[1:] if isinstance(value, str) and value[:1] == "'" and RISKY.match(value) else value


def safe_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with names and texts by `safe_cell`; the same object where nothing changes."""
    return _mapped(frame, safe_cell)


def original_table(frame: pd.DataFrame) -> pd.DataFrame:
    """What `safe_table` was given, of a table that was read back."""
    return _mapped(frame, original_cell)


def _mapped(frame: pd.DataFrame, change: Callable[[Any], Any]) -> pd.DataFrame:
    import pandas as pd

    changed = {}
    for place, (_, column) in enumerate(frame.items()):
        if column.dtype.kind == "O" or isinstance(column.dtype, pd.CategoricalDtype):
            values = column.tolist()
            cells = [change(value) for value in values]
            if any(cell is not value for cell, value in zip(cells, values, strict=True)):
                changed[place] = pd.Series(cells, index=frame.index, dtype=object)
    names = [change(name) for name in frame.columns]
    if not changed and all(new is old for new, old in zip(names, frame.columns, strict=True)):
        return frame
    columns = [changed.get(place, column) for place, (_, column) in enumerate(frame.items())]
    return pd.concat(columns, axis=1).set_axis(pd.Index(names, name=frame.columns.name), axis=1)


def holds_returns(frame: pd.DataFrame) -> bool:
    """Whether a text of the table holds a carriage return, which the csv module does not quote."""
    texts = (column for _, column in frame.items() if column.dtype.kind == "O")
    return any("\r" in value for column in texts for value in column if isinstance(value, str))


def without_control(text: str) -> str:
    """The text with a replacement character for each that no XML may hold."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
