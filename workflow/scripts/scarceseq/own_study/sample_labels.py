"""Which samples of a user's study have a class, and which are to be predicted."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from scarceseq.errors import InputError

if TYPE_CHECKING:
    from scarceseq.archive.user_study import UserStudy


def whole_labels(study: "UserStudy") -> pd.DataFrame:
    """The user's whole table of labels: sample, and every column of it; a row for each sample of the study."""
    samples = pd.DataFrame({"sample": study.samples.index.astype(str)})
    if study.labels is None:
        return samples
    rows = study.labels.loc[study.samples["runs"]].reset_index(drop=True).astype("string")
    return samples.join(rows.drop(columns="sample", errors="ignore"))


def labelled(
    study: "UserStudy",
    label: str,
    group: str,
    classes: Sequence[str],
    held_out: Mapping[str, Any] | None,
    block: str = "",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Samples that have a class, and those to be predicted that have none to be tested by.

    `label`, `group` and `block` are columns of the table of labels; group and block may be empty, and a sample without
    a group is one of its own. `classes` are empty for all values; `held_out` has ``column`` and ``values`` of the
    samples that are predicted instead of cross-validation.

    Columns: sample, study, label, group, block, held_out; by sample. The second table has samples without a label, or
    held out without anything to test by: their class has no sample to learn from, or they are all of one class. Raises
    InputError if fewer than two classes have two samples each to learn from, or a value that is asked for is nobody's.
    """
    wide = study.attributes.pivot(index="sample", columns="key", values="value").reindex(study.samples.index)
    table = pd.DataFrame({"sample": wide.index, "study": study.samples["study"].to_numpy()})
    table["label"] = wide[label].to_numpy()
    of_group = wide[group].fillna(wide.index.to_series()) if group else wide.index.to_series()
    table["group"] = of_group.to_numpy()
    table["block"] = wide[block].fillna("").to_numpy() if block else ""
    if held_out:
        _check_values("held_out.values", held_out["values"], held_out["column"], wide)
    _check_values("classes", classes, label, wide)
    outside = wide[held_out["column"]].isin(held_out["values"]) if held_out else pd.Series(False, index=wide.index)
    table["held_out"] = outside.to_numpy()
    wanted = table["label"].isin(classes) if classes else table["label"].notna()
    counts = table.loc[~table["held_out"] & wanted, "label"].value_counts()
    few = counts[counts < 2]
    if len(counts) < 2 or len(few):
        present = ", ".join(f"{name}: {count}" for name, count in counts.items()) or "none"
        raise InputError(
            f"config key own_study.label: '{label}' gives these samples to learn from: {present}; two classes are "
            "needed, of two samples each. Choose them with own_study.classes"
        )
    testable = table["held_out"] & table["label"].isin(counts.index)
    if table.loc[testable, "label"].nunique() < 2:
        testable &= False
    shared = set(table.loc[table["held_out"], "group"]) & set(table.loc[~table["held_out"], "group"])
    if shared:
        raise InputError(f"config key own_study.held_out: {group} {min(shared)} is both held out and learned from")
    samples = table[(~table["held_out"] & wanted) | testable]
    unlabelled = table[(table["held_out"] & ~testable) | (~table["held_out"] & table["label"].isna())]
    return samples.sort_values("sample", ignore_index=True), unlabelled.sort_values("sample", ignore_index=True)


def _check_values(key: str, values: Sequence[str], column: str, wide: pd.DataFrame) -> None:
    """Refuse a value that no sample has."""
    there = sorted(wide[column].dropna().unique())
    for value in values:
        if value not in there:
            listed = ", ".join(there[:20])
            raise InputError(
                f"config key own_study.{key}: no sample has '{value}' in column '{column}'; it has {listed}"
            )
