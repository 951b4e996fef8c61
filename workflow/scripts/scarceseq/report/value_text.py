"""How a value is printed in an HTML table: rounded for reading, the full value kept for the tooltip."""

import math
import numbers
from typing import Any

import numpy as np
import pandas as pd

MISSING = "n/a"


def missing(value: Any) -> bool:
    """Whether a cell is empty."""
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def text_of(value: Any) -> str:
    """Printed form of one value: three significant digits, thousands separated, n/a where there is none."""
    if missing(value):
        return MISSING
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return _signed(int(value), f"{abs(int(value)):,}")
    if isinstance(value, numbers.Real):
        return _signed(value, _magnitude(abs(float(value))))
    return str(value)


def _signed(value: numbers.Real | float, text: str) -> str:
    return f"−{text}" if value < 0 else text


def _magnitude(size: float) -> str:
    if size == 0:
        return "0"
    if not math.isfinite(size):
        return "∞"
    if size >= 1000:
        return f"{size:,.0f}"
    if size >= 0.001:
        return f"{size:.{max(0, 2 - math.floor(math.log10(size)))}f}"
    return f"{size:.1e}"


def is_number(series: pd.Series) -> bool:
    """Whether a column is set flush right."""
    return pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)


def grid(frame: pd.DataFrame) -> dict[str, list]:
    """Rows of a table for the template.

    Returns ``columns``: list of (text, is number); ``rows``: lists of (text, full value or '', is number).
    """
    right = [is_number(frame.iloc[:, column]) for column in range(frame.shape[1])]
    columns = [(str(name).replace("_", " "), flag) for name, flag in zip(frame.columns, right, strict=True)]
    cells = [_column(frame.iloc[:, column], flag) for column, flag in enumerate(right)]
    return {"columns": columns, "rows": [list(row) for row in zip(*cells, strict=True)]}


def _column(series: pd.Series, flag: bool) -> list[tuple[str, str, bool]]:
    values = series.tolist()
    if flag and all(missing(value) or float(value).is_integer() for value in values):
        return [(MISSING if missing(value) else text_of(int(value)), "", True) for value in values]
    return [(text_of(value), _full(value, flag), flag) for value in values]


def _full(value: Any, flag: bool) -> str:
    return repr(value) if flag and isinstance(value, float) and not missing(value) else ""
