"""Which studies can serve a labelled task, and studies that change roles so that a role's tasks can be filled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

# A role is filled with so many query studies, if there are: an interval over test studies needs three.
WANTED = {"test": 3, "validation": 1}
DONORS = ("pretrain", "scout")
# Candidates among which pairs are sought.
PAIRED = 200


@dataclass(frozen=True)
class LabelTask:
    """What a cell of a task asks of the studies of a role."""

    task: str
    split: str
    label: str
    classes: tuple[str, ...]  # that count; empty for all
    protocol: str  # cross_study, within_study or leave_one_study_out
    fewest: int  # classes that an episode has at least
    shot: int  # samples of each class to learn from


Counts = dict[str, dict[str, int]]


def tasks_of(config: Mapping[str, Any]) -> list[LabelTask]:
    """What the labelled tasks of a config ask of test and validation studies, the easiest first."""
    compared = config.get("pretrain", {}).get("comparison", {}).get("tasks", {})
    cells = [(name, task, 2, 1) for name, task in compared.items()]
    for name, task in config.get("fewshot", {}).get("tasks", {}).items():
        cells += [(name, task, 2 if way == "all" else way, shot) for way in task["ways"] for shot in task["shots"]]
    tasks = [
        LabelTask(name, task["split"], task["label"], tuple(task["classes"]), task["protocol"], fewest, shot)
        for name, task, fewest, shot in cells
    ]
    return sorted(tasks, key=lambda task: (task.fewest, task.shot))


def label_counts(samples: pd.DataFrame, attributes: pd.DataFrame, task: LabelTask) -> Counts:
    """Samples of each class in each study; a sample with several values of the label is left out.

    `samples` has sample, study; `attributes` has sample, key, value.
    """
    values = attributes.loc[attributes["key"] == task.label, ["sample", "value"]].dropna().astype(str)
    values["value"] = values["value"].str.strip()
    values = values[values["value"] != ""].drop_duplicates().drop_duplicates("sample", keep=False)
    if task.classes:
        values = values[values["value"].isin(task.classes)]
    table = values.merge(samples[["sample", "study"]].drop_duplicates("sample"), on="sample")
    counts: Counts = {}
    for row in table.groupby(["study", "value"]).size().reset_index(name="samples").itertuples():
        counts.setdefault(str(row.study), {})[str(row.value)] = int(row.samples)
    return counts


def served(counts: Counts, studies: Iterable[str], task: LabelTask, enough: int | None = None) -> list[str]:
    """Studies whose samples can be asked about, given those that may be learned from; stops when there are enough."""
    studies = [study for study in studies if study in counts]
    able = []
    for query in studies:
        if task.protocol == "within_study":
            fits = len(_able(counts[query], task.shot + 1)) >= task.fewest
        else:
            classes = _able(counts[query], 1)
            others = (study for study in studies if study != query)
            fits = any(len(classes & _able(counts[study], task.shot)) >= task.fewest for study in others)
        if fits:
            able.append(query)
            if len(able) == enough:
                break
    return able


def _able(classes: Mapping[str, int], least: int) -> set[str]:
    return {label for label, samples in classes.items() if samples >= least}


def fill(
    roles: dict[str, str], drawn: list[str], counts: Counts, task: LabelTask, role: str, spare: set[str]
) -> list[tuple[str, str, str]]:
    """Bring studies from `DONORS` into a role until enough of its studies can be asked about, each for one in return.

    `roles`, of each study, is rewritten. `drawn` are the studies that may change roles, in the order in which they do,
    and `spare` those without a label of any task, which go in return. Gives (study, role before, role now) of each that
    changed; empty if nothing can be done or nothing need be.
    """
    members = [study for study, has in roles.items() if has == role]
    missing = WANTED[role] - len(served(counts, members, task, WANTED[role]))
    moves: list[tuple[str, str, str]] = []
    while missing > 0:
        few = {donor: sum(has == donor for has in roles.values()) for donor in DONORS}
        able = [s for s in drawn if few.get(roles[s], 0) > 1 and len(counts.get(s, {})) >= task.fewest]
        brought = _best(able, members, counts, task)
        if not brought:
            break
        for study in brought:
            before, roles[study] = roles[study], role
            moves.append((study, before, role))
            members.append(study)
            for other in [s for s in drawn if roles[s] == role and s in spare][:1]:
                roles[other] = before
                moves.append((other, role, before))
                members.remove(other)
        missing = WANTED[role] - len(served(counts, members, task, WANTED[role]))
    return moves


def _best(able: list[str], members: list[str], counts: Counts, task: LabelTask) -> tuple[str, ...]:
    """The first study, or pair of studies, that lets more of the role's studies be asked about; empty if none does."""
    now = len(served(counts, members, task))
    for study in able:
        if len(served(counts, [*members, study], task)) > now:
            return (study,)
    for pair in combinations(able[:PAIRED], 2) if task.protocol != "within_study" else ():
        if len(served(counts, [*members, *pair], task)) > now:
            return pair
    return ()
