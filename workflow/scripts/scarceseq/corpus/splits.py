"""Roles of studies: a study is wholly in one role of a split, never its samples one by one."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from scarceseq.errors import InputError
from scarceseq.seeds import derive

ROLES = ("pretrain", "scout", "validation", "test")


def split_studies(studies: Iterable[str], splits: Mapping[str, Any], seed: int) -> pd.DataFrame:
    """Role of each study in each split.

    A study's role depends on its name, the seeds and the shares only, so that adding a study moves no other.

    Parameters
    ----------
    studies : iterable of str
    splits : dict
        Config section ``corpus.splits``: for each split ``roles`` {study: role} of studies whose role is given,
        ``shares`` {role: share} by which the others are drawn, and ``seed``.
    seed : int
        Of the run.

    Returns
    -------
    pandas.DataFrame
        split, study, role.

    Raises
    ------
    InputError
        If a study named is not in the corpus, a study gets no role, or a role with a share stays empty.
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
