"""What a table of labels should be asked about before anything is learned from it."""

import re
from collections.abc import Sequence

import pandas as pd

LABEL_KINDS = ("confounded", "look_alikes")

BATCH_LIKE = re.compile(
    r"(^|[^a-z])(batch|run|lane|plate|flow ?cell|chip|pool|date|day|seq(uencing)?|sequencer|instrument|machine|library|"
    r"lib|site|cent(er|re)|hospital|operator|technician|prep(aration)?|extraction|kit|cohort|study|round)",
    re.IGNORECASE,
)


def look_alikes(values: pd.Series) -> list[list[str]]:
    """Groups of values that differ by case, blanks, hyphens or underscores alone, each sorted."""
    distinct = sorted(values.dropna().astype(str).unique())
    groups = pd.Series(distinct, dtype=object).groupby(list(map(_plain, distinct))).agg(list)
    return [group for group in groups if len(group) > 1]


def _plain(value: str) -> str:
    """A value without case, blanks, hyphens and underscores."""
    return re.sub(r"[\W_]+", "", value).casefold() or value


def confounded(table: pd.DataFrame, label: str) -> list[str]:
    """Batch-like columns of a table of labels, of which each value goes with one value of the label alone.

    Their name speaks of a batch; they have two or more values, and fewer than there are samples.
    """
    names = []
    for column in table.columns:
        if column == label or not BATCH_LIKE.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)):
            continue
        both = table[[label, column]].dropna().astype(str)
        both[label] = both[label].map(_plain)
        values = both[column].nunique()
        if 2 <= values < len(both) and (both.groupby(column)[label].nunique() == 1).all() and both[label].nunique() > 1:
            names.append(column)
    return names


def label_notes(table: pd.DataFrame, labels: Sequence[str]) -> list[tuple[str, str]]:
    """(kind, text) of all that is to be said of the labels; kinds are ``confounded`` and ``look_alikes``."""
    notes = []
    for label in labels:
        for column in confounded(table, label):
            text = f"{label} and {column} are the same thing here: nothing can be told apart"
            notes.append(("confounded", text))
        for group in look_alikes(table[label]):
            listed = ", ".join(f"'{value}'" for value in group)
            notes.append(("look_alikes", f"values of {label} that may be one are counted as {len(group)}: {listed}"))
    return notes
