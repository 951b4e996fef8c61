"""Candidates that a table of numbers rules out: genes that the cells do not express, or cannot do without."""

import logging
from typing import Any

import pandas as pd

from scarceseq.design.lists import read_named_numbers
from scarceseq.errors import InputError
from scarceseq.joins import Join

log = logging.getLogger(__name__)


def apply_filters(settings: dict[str, Any], lists: dict[str, set[str]], joins: list[Join]) -> pd.DataFrame:
    """Take candidates out of `lists` that a filter excludes; required genes stay.

    Their ``candidates`` are changed, and `joins` gets one for each filter. Returns the values, gene x filter, NaN
    where the table has none. Raises `InputError` if no candidate is left.
    """
    columns = {}
    for name, rule in settings["filters"].items():
        table = rule["path"], rule["column"], f"filter {name}"
        columns[name] = pd.Series(read_named_numbers(settings, *table, lists["candidates"], joins), dtype=float)
        values = columns[name].reindex(sorted(lists["candidates"]))
        low = values < (float("-inf") if rule["minimum"] is None else rule["minimum"])
        out = low | (values > (float("inf") if rule["maximum"] is None else rule["maximum"]))
        out |= values.isna() & (rule["missing"] == "drop")
        gone = set(values.index[out]) - lists["required"]
        lists["candidates"] -= gone
        log.info("design.filters.%s: %d candidates are left out, %d stay", name, len(gone), len(lists["candidates"]))
        if not lists["candidates"] - lists["excluded"]:
            raise InputError(f"config key design.filters.{name}: it leaves no candidate; widen minimum or maximum")
    return pd.DataFrame(columns)
