"""Roles of studies: a study is wholly in one role of a split, never its samples one by one."""

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from scarceseq.corpus.serving import WANTED, LabelTask, fill, label_counts, served, tasks_of
from scarceseq.errors import InputError
from scarceseq.files import read_table
from scarceseq.seeds import derive

ROLES = ("pretrain", "scout", "validation", "test")


def split_studies(studies: Iterable[str], splits: Mapping[str, Any], seed: int) -> pd.DataFrame:
    """Role of each study in each split: split, study, role.

    A study's role depends on its name, the seeds and the shares only, so that adding a study changes no other. `splits`
    is the config section ``corpus.splits``: for each split ``roles`` {study: role} of studies whose role is given,
    ``shares`` {role: share} by which the others are drawn, and ``seed``; `seed` is the run's. Raises InputError if a
    study named is not in the corpus, a study gets no role, or a role with a share stays empty.
    """
    studies = sorted(set(studies))
    rows = []
    for name, split in splits.items():
        key = f"config key corpus.splits.{name}"
        unknown = sorted(set(split["roles"]) - set(studies))
        if unknown:
            raise InputError(
                f"{key}.roles.{unknown[0]}: this study is not in the corpus (see dropped_runs.tsv and studies.tsv)"
            )
        for study in studies:
            role = split["roles"].get(study) or draw_role(study, split["shares"], derive(seed, "split", split["seed"]))
            if role is None:
                raise InputError(f"{key}: study {study} has no role; name it under roles, or give shares")
            rows.append((name, study, role))
        drawn = {role for split_name, _, role in rows if split_name == name}
        for role in ROLES:
            if split["shares"].get(role, 0) > 0 and role not in drawn:
                raise InputError(
                    f"{key}.shares.{role}: none of the {len(studies)} studies of the corpus falls into this role; "
                    "raise its share, name studies under roles, or change the split's seed"
                )
    return pd.DataFrame(rows, columns=["split", "study", "role"])


def draw_role(study: str, shares: Mapping[str, float], seed: int) -> str | None:
    """Role whose share covers the study's place between 0 and 1; None if there are no shares."""
    place, reached = derive(seed, study) / 2**63, 0.0
    given = [role for role in ROLES if shares.get(role, 0) > 0]
    for role in given:
        reached += shares[role]
        if place < reached:
            return role
    return given[-1] if given else None


def splits_of_run(samples_path: str, attributes_path: str, config: Mapping[str, Any]) -> pd.DataFrame:
    """The splits of a corpus such that the tasks of a config can be filled where that is possible.

    Studies whose role is given stay. The others change roles in the order of their hashes, from pretrain or scout to
    test or validation, each for a study without labels in return if there is one, and no more than make
    `scarceseq.corpus.serving.WANTED` studies that can be asked about.
    """
    splits, seed, tasks = config["corpus"]["splits"], config["seed"], tasks_of(config)
    samples = read_table(samples_path, columns=["sample", "study"])
    labels = sorted({task.label for task in tasks})
    attributes = read_table(attributes_path, filters=[("key", "in", labels)]) if labels else pd.DataFrame()
    return serve_tasks(split_studies(samples["study"], splits, seed), samples, attributes, tasks, splits, seed)


def serve_tasks(
    table: pd.DataFrame,
    samples: pd.DataFrame,
    attributes: pd.DataFrame,
    tasks: Sequence[LabelTask],
    splits: Mapping[str, Any],
    seed: int,
) -> pd.DataFrame:
    """What `splits_of_run` does, from the table of `split_studies` and for tasks of which the easiest come first.

    `samples` has sample, study; `attributes` has sample, key, value. Gives a table as `table`; its ``attrs`` have the
    list ``moves_made`` of sentences and the list ``unfilled`` of warnings.
    """
    counts = {task: label_counts(samples, attributes, task) for task in tasks}
    labelled = {study for counted in counts.values() for study in counted}
    table, moves_made, unfilled = table.copy(), [], []
    for name, split in splits.items():
        of_name, of_split = table["split"] == name, [task for task in tasks if task.split == name]
        roles = dict(zip(table.loc[of_name, "study"], table.loc[of_name, "role"], strict=True))
        place = derive(seed, "split", split["seed"])
        drawn = sorted(set(roles) - set(split["roles"]), key=lambda study, place=place: derive(place, study))
        for task, role in itertools.product(of_split, WANTED):
            if split["shares"].get(role, 0) > 0:
                moves = fill(roles, drawn, counts[task], task, role, set(roles) - labelled)
                moves_made += [f"split {name}: {study} from {a} to {b}, for task {task.task}" for study, a, b in moves]
        unfilled += [text for task in of_split for text in _unfilled(task, roles, counts[task])]
        table.loc[of_name, "role"] = table.loc[of_name, "study"].map(roles)
    table.attrs = {"moved": moves_made, "unfilled": unfilled}
    return table


def _unfilled(task: LabelTask, roles: Mapping[str, str], counts: dict[str, dict[str, int]]) -> list[str]:
    """What of a task the studies of test and validation cannot fill."""
    return [
        f"split {task.split}: no {role} study can fill task {task.task} with {task.fewest} classes of '{task.label}', "
        f"{task.shot} samples each to learn from ({task.protocol}); {len(counts)} studies of the corpus have this label"
        for role in WANTED
        if not served(counts, [study for study, has in roles.items() if has == role], task, 1)
    ]


def hash_of(table: pd.DataFrame) -> str:
    """SHA-256 of the roles of a table of splits."""
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()
