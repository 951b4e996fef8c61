"""Labelled samples of a task: who may be drawn, and who is left out and why."""

from typing import TYPE_CHECKING

from scarceseq.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from scarceseq.fewshot.settings import EpisodeSettings


def labelled_samples(
    samples: "pd.DataFrame", attributes: "pd.DataFrame", splits: "pd.DataFrame", settings: "EpisodeSettings"
) -> "tuple[pd.DataFrame, dict[str, int]]":
    """Samples of the validation and test studies with their class, and counts of samples left out by reason.

    `samples` has the columns sample, study and perhaps ``content`` (a hash of the counts); `attributes` sample, key,
    value; `splits` split, study, role. Left out are samples whose attribute has more than one distinct value, and those
    whose id or content occurs more than once. Columns: sample, study, role, label, group; sorted by sample. Raises
    InputError if the split or the attribute key does not exist.
    """
    roles = _roles(splits, settings.split)
    values = _values(attributes, settings.label, "label")
    conflicting = values["sample"][values["sample"].duplicated(keep=False)]
    repeated = samples["sample"][samples["sample"].duplicated(keep=False)]
    copies = samples["sample"][samples["content"].duplicated(keep=False)] if "content" in samples else repeated[:0]
    table = samples[["sample", "study"]].drop_duplicates("sample").merge(roles, on="study")
    considered = len(table)
    left_out = {
        "conflicting label": int(table["sample"].isin(conflicting).sum()),
        "duplicated sample": int(table["sample"].isin([*repeated, *copies]).sum()),
    }
    table = table[~table["sample"].isin([*conflicting, *repeated, *copies])]
    clear = len(table)
    table = table.merge(values.rename(columns={"value": "label"}), on="sample")
    left_out["no label"] = clear - len(table)
    if settings.classes:
        left_out["label not among the task's classes"] = int((~table["label"].isin(settings.classes)).sum())
        table = table[table["label"].isin(settings.classes)]
    left_out["considered"] = considered
    table = table.assign(group=_groups(table, attributes, settings.group) if settings.group else table["sample"])
    return table.sort_values("sample", ignore_index=True), left_out


def _values(attributes: "pd.DataFrame", key: str, purpose: str) -> "pd.DataFrame":
    """Distinct (sample, value) of one attribute that has any."""
    values = attributes.loc[attributes["key"] == key, ["sample", "value"]].dropna()
    if values.empty:
        there = ", ".join(sorted(attributes["key"].dropna().unique())[:20]) or "none"
        raise InputError(
            f"attributes.parquet has no attribute '{key}'; attributes there: {there}; "
            f"change the {purpose} of the task in fewshot.tasks"
        )
    values = values.assign(value=values["value"].astype(str).str.strip())
    return values[values["value"] != ""].drop_duplicates()


def label_of_samples(attributes: "pd.DataFrame", key: str) -> dict[str, str]:
    """Value of an attribute by sample; of a sample that has several distinct ones, none."""
    values = _values(attributes, key, "label")
    clear = values[~values["sample"].duplicated(keep=False)]
    return dict(zip(clear["sample"], clear["value"], strict=True))


def _groups(table: "pd.DataFrame", attributes: "pd.DataFrame", key: str) -> "pd.Series":
    """Group of each sample, the first of its values; its own id if it has none."""
    values = _values(attributes, key, "group").drop_duplicates("sample").set_index("sample")["value"]
    return table["sample"].map(values).fillna(table["sample"])


def _roles(splits: "pd.DataFrame", split: str) -> "pd.DataFrame":
    roles = splits[splits["split"] == split]
    if roles.empty:
        there = ", ".join(sorted(splits["split"].unique()))
        raise InputError(f"splits.tsv has no split '{split}'; splits there: {there}; change the split of the task")
    if roles["study"].duplicated().any():
        twice = roles["study"][roles["study"].duplicated()].iloc[0]
        raise InputError(f"splits.tsv: study {twice} has more than one role in split '{split}'; give it one")
    return roles.loc[roles["role"].isin(["validation", "test"]), ["study", "role"]]
