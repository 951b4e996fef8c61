"""Folds of one study: which samples are learned from and which are predicted, and the same again within the former."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.seeds import derive

if TYPE_CHECKING:
    from scarceseq.own_study.settings import FoldSettings


def fold_episodes(
    samples: pd.DataFrame, folds: int, inner_folds: int, repeat: int, seed: int
) -> Iterator[tuple[int, pd.DataFrame, pd.DataFrame]]:
    """Episodes of one cross-validation, for each fold those within its training samples too.

    `samples` has the columns sample, study, label, group, held_out; if any is held out, these are the one fold. Folds
    are fewer where a class has fewer samples, or fewer groups; another repeat has other folds. Yields the number of the
    fold, its episode, and those of its inner folds (empty where a class has but one training sample), in the form of
    `scarceseq.fewshot.corpus.Episodes`.
    """
    for fold, (train, test) in enumerate(divided(samples, folds, derive(seed, "folds", repeat))):
        inner_seed = derive(seed, "inner folds", repeat, fold)
        learned, predicted = samples.iloc[train], samples.iloc[test]
        pairs = inner_divided(learned, inner_folds, inner_seed)
        inner = [
            _episode("validation", place, inner_seed, learned.iloc[within], learned.iloc[left])
            for place, (within, left) in enumerate(pairs)
        ]
        outer = _episode("test", fold, derive(seed, "fold", repeat, fold), learned, predicted)
        yield fold, outer, pd.concat(inner) if inner else outer.head(0)


def divided(samples: pd.DataFrame, folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places of the training and the test samples of each fold.

    `samples` has the columns label, group, held_out; if any is held out, these are the one fold. Folds are fewer where
    a class has fewer samples, or fewer groups. Where folds that mix groups would leave a class without a training
    sample, each group is left out by itself. Raises InputError if a class has all its samples in one group.
    """
    from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, StratifiedKFold

    if samples["held_out"].any():
        return [(np.flatnonzero(~samples["held_out"]), np.flatnonzero(samples["held_out"]))]
    count = min(folds, _most_folds(samples))
    if count < 2:
        raise InputError(
            "config key own_study.group: a class has all its samples in one group, so that none are left to test it on"
        )
    labels, groups = samples["label"].to_numpy(), samples["group"].to_numpy()
    if not samples["group"].duplicated().any():
        return list(StratifiedKFold(count, shuffle=True, random_state=seed % 2**32).split(labels, labels))
    mixed = StratifiedGroupKFold(count, shuffle=True, random_state=seed % 2**32).split(labels, labels, groups)
    pairs = [(train, test) for train, test in mixed if len(test)]
    if any(set(labels[test]) - set(labels[train]) for train, test in pairs):
        return list(LeaveOneGroupOut().split(labels, labels, groups))
    return pairs


def inner_divided(samples: pd.DataFrame, folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same within the training samples of a fold; none where a class has but one group there."""
    return divided(samples.assign(held_out=False), folds, seed) if _most_folds(samples) > 1 else []


def left_out_alone(samples: pd.DataFrame, settings: "FoldSettings", seed: int) -> bool:
    """Whether groups are left out one by one, as folds that mix them cannot serve."""
    several = samples["group"].duplicated().any() and not samples["held_out"].any()
    groups = samples["group"].nunique()
    most = min(settings.folds, _most_folds(samples))
    repeats = (divided(samples, settings.folds, derive(seed, "folds", repeat)) for repeat in range(settings.repeats))
    return bool(several and groups > most and any(len(pairs) == groups for pairs in repeats))


def _most_folds(samples: pd.DataFrame) -> int:
    """Groups of the class that has fewest."""
    return int(samples.groupby("label")["group"].nunique().min())


def _episode(role: str, episode: int, seed: int, train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    sets = [train.assign(part="support"), test.assign(part="query")]
    table = pd.concat(sets)[["part", "sample", "label", "study"]]
    return table.assign(role=role, episode=episode, seed=seed)
