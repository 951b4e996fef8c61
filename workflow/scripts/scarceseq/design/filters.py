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

    - `settings`: the config's section ``design``
    - `lists`: ``candidates`` is changed
    - `joins`: gets a join for each filter

    Returns gene (index) x filter: the values, NaN where the table has none.
    Raises `InputError` if no candidate is left.
    """
    columns = {}
    for name, rule in settings["filters"].items():
        values = read_named_numbers(
            settings, rule["path"], rule["column"], f"filter {name}", lists["candidates"], joins
        )
        columns[name] = pd.Series(values, dtype=float)
        candidate_values = columns[name].reindex(sorted(lists["candidates"]))
        low = candidate_values < (float("-inf") if rule["minimum"] is None else rule["minimum"])
        out = low | (candidate_values > (float("inf") if rule["maximum"] is None else rule["maximum"]))
        out |= candidate_values.isna() & (rule["missing"] == "drop")
        gone = set(candidate_values.index[out]) - lists["required"]
        lists["candidates"] -= gone
        log.info("design.filters.%s: %d candidates are left out, %d stay", name, len(gone), len(lists["candidates"]))
        if not lists["candidates"] - lists["excluded"]:
            raise InputError(f"config key design.filters.{name}: it leaves no candidate; widen minimum or maximum")
    return pd.DataFrame(columns)
