"""How the columns of a table of labels go together: what cannot be told apart, and what batch alone tells."""

import re

import numpy as np
import pandas as pd

from scarceseq.archive.label_checks import BATCH_LIKE

GROUP_LIKE = re.compile(r"(^|[^a-z])(animal|mouse|mice|donor|patient|subject|individual|participant|cage|litter)", re.I)
MOST_COLUMNS = 40
COLUMNS = ["column", "other", "values", "other_values", "samples", "strength", "relation", "told_by_other", "chance"]


def compare_columns(labels: pd.DataFrame) -> pd.DataFrame:
    """Every pair of columns that divide the samples (rows of `labels`) into fewer groups than samples; `COLUMNS`.

    ``strength``: Cramer's V, 0 for independent to 1; ``relation``: ``same`` (each value goes with one of the other),
    ``nested`` (each value of the other goes with one of this), ``partly``, or ``balanced`` (V below 0.1).
    ``told_by_other``: share of samples whose value is the most frequent one among the *other* samples of the same value
    of ``other``; ``chance``: the same without looking at ``other``.
    """
    useful = [column for column in labels.columns if 1 < labels[column].nunique() < labels[column].notna().sum()]
    rows = []
    for column in useful[:MOST_COLUMNS]:
        for other in useful[:MOST_COLUMNS]:
            if column != other:
                both = labels[[column, other]].dropna().astype(str)
                if both[column].nunique() > 1 and both[other].nunique() > 1:
                    rows.append({"column": column, "other": other} | _relation(both[column], both[other]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _relation(one: pd.Series, other: pd.Series) -> dict[str, object]:
    table = pd.crosstab(one, other).to_numpy(float)
    total = table.sum()
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / total
    strength = float(np.sqrt(((table - expected) ** 2 / expected).sum() / total / (min(table.shape) - 1)))
    one_way = bool(((table > 0).sum(axis=0) == 1).all())
    other_way = bool(((table > 0).sum(axis=1) == 1).all())
    relation = "same" if one_way and other_way else "nested" if one_way else "balanced" if strength < 0.1 else "partly"
    return {
        "values": table.shape[0],
        "other_values": table.shape[1],
        "samples": int(total),
        "strength": strength,
        "relation": relation,
        "told_by_other": told_by_others(table),
        "chance": told_by_others(table.sum(axis=1, keepdims=True)),
    }


def told_by_others(table: np.ndarray) -> float:
    """Share of samples told by the most frequent value of the others in their column of a table of counts.

    Where the others tie, a sample counts by the share of the ties that it holds; one alone counts as not told.
    """
    right = 0.0
    for counts in table.T:
        for place in np.flatnonzero(counts):
            others = counts.copy()
            others[place] -= 1
            if others.max() > 0 and others[place] == others.max():
                right += counts[place] / (others == others.max()).sum()
    return float(right / table.sum())


def column_notes(table: pd.DataFrame, labels: pd.DataFrame, label: str, group: str) -> list[dict[str, str]]:
    """What is to be said of the label and the group, columns of the config (group may be empty): kind and text."""
    notes = []
    batches = [column for column in labels.columns if BATCH_LIKE.search(str(column)) and column != label]
    of_label = table[(table["column"] == label) & table["other"].isin(batches)]
    for row in of_label.itertuples():
        if row.relation in ("same", "nested"):
            text = f"{label} and {row.other} are the same thing here: nothing can be told apart."
            notes.append({"kind": "confounded", "text": text})
        elif row.told_by_other > row.chance + 0.1:
            text = (
                f"{row.other} alone tells {label} of {row.told_by_other:.0%} of the samples, {row.chance:.0%} without "
                f"it: look at the accuracy within each {row.other}."
            )
            notes.append({"kind": "partly_confounded", "text": text})
    if not group:
        notes += _group_notes(labels, label)
    return notes


def _group_notes(labels: pd.DataFrame, label: str) -> list[dict[str, str]]:
    like = [column for column in labels.columns if GROUP_LIKE.search(str(column)) and column != label]
    several = [column for column in like if 1 < labels[column].nunique() < labels[column].count()]
    text = "Several samples share one {}; name it as the group, or folds may leak."
    return [{"kind": "group", "text": text.format(column)} for column in several]
