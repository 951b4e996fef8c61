"""Folds of one study: which samples are learned from and which are predicted, and the same again within the former."""

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.seeds import derive


def fold_episodes(samples, folds, inner_folds, repeat, seed):
    """Episodes of one cross-validation, for each fold those within its training samples too.

    Parameters
    ----------
    samples : pandas.DataFrame
        sample, study, label, group, held_out. If any is held out, these are the one fold.
    folds, inner_folds : int
        Fewer where a class has fewer samples, or fewer groups.
    repeat : int
        Number of the repeat; another one has other folds.
    seed : int

    Yields
    ------
    int, pandas.DataFrame, pandas.DataFrame
        Number of the fold; its episode, and those of its inner folds (empty where a class has but one training
        sample), in the form of `scarceseq.fewshot.corpus.Episodes`.
    """
    for fold, (train, test) in enumerate(_divided(samples, folds, derive(seed, "folds", repeat))):
        inner_seed = derive(seed, "inner folds", repeat, fold)
        inner = []
        if _most_folds(train) > 1:
            parts = _divided(train.assign(held_out=False), inner_folds, inner_seed)
            inner = [_episode("validation", n, inner_seed, *both) for n, both in enumerate(parts)]
        outer = _episode("test", fold, derive(seed, "fold", repeat, fold), train, test)
        yield fold, outer, pd.concat(inner) if inner else outer.head(0)


def _divided(samples, folds, seed):
    """(training samples, test samples) of each fold."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if samples["held_out"].any():
        return [(samples[~samples["held_out"]], samples[samples["held_out"]])]
    count = min(folds, _most_folds(samples))
    if count < 2:
        raise InputError(
            "config key own_study.group: a class has all its samples in one group, so that none are left to test it on"
        )
    several = samples["group"].duplicated().any()
    divide = (StratifiedGroupKFold if several else StratifiedKFold)(count, shuffle=True, random_state=seed % 2**32)
    parts = divide.split(samples, samples["label"], samples["group"] if several else None)
    found = [(samples.iloc[train], samples.iloc[test]) for train, test in parts]
    for train, test in found:
        lacking = set(test["label"]) - set(train["label"])
        if lacking:
            raise InputError(
                f"own_study: in a fold no sample of {min(lacking)} is left to learn from, its groups are too few; "
                "leave the class out with own_study.classes, or lower own_study.folds"
            )
    return [(train, test) for train, test in found if len(test)]


def _most_folds(samples):
    """Groups of the class that has fewest."""
    return int(samples.groupby("label")["group"].nunique().min())


def _episode(role, number, seed, train, test):
    parts = [train.assign(part="support"), test.assign(part="query")]
    table = pd.concat(parts)[["part", "sample", "label", "study"]]
    return table.assign(role=role, episode=number, seed=seed)


def permuted(samples, generator):
    """The samples with their labels in another order, as far as their groups allow.

    Where groups have one label each, groups change labels; where a group has several, its samples do among themselves.
    Held-out samples change labels among themselves too.

    Parameters
    ----------
    samples : pandas.DataFrame
        label, group, held_out.
    generator : numpy.random.Generator
    """
    if samples["held_out"].any():
        parts = [part.assign(held_out=False) for _, part in samples.groupby("held_out")]
        drawn = pd.concat([permuted(part, generator) for part in parts]).loc[samples.index]
        return drawn.assign(held_out=samples["held_out"])
    labels = samples["label"].to_numpy().copy()
    of_group = samples.groupby("group")["label"]
    if (of_group.nunique() == 1).all():
        first = of_group.first()
        drawn = dict(zip(first.index, generator.permutation(first.to_numpy()), strict=True))
        return samples.assign(label=samples["group"].map(drawn))
    for rows in samples.groupby("group", sort=True).indices.values():
        labels[rows] = labels[generator.permutation(rows)]
    return samples.assign(label=labels)


def arrangements(samples):
    """In how many ways `permuted` can lay out the labels (a float, since it may be huge), names of classes aside.

    Classes that are equally many wherever labels change places may also change names, all at once: the predictions are
    then the same under other names, and as good.
    """
    from scipy.special import factorial, gammaln

    classes = sorted(samples["label"].unique())
    parts = [labels.value_counts().reindex(classes, fill_value=0).to_numpy() for labels in _exchanged(samples)]
    ways = np.exp(sum(gammaln(counts.sum() + 1) - gammaln(counts + 1).sum() for counts in parts)).round()
    alike = np.unique(np.stack(parts), axis=1, return_counts=True)[1]
    return float(ways / factorial(alike).prod())


def _exchanged(samples):
    """The labels that `permuted` exchanges among each other, part by part."""
    if samples["held_out"].any():
        return [labels for _, part in samples.groupby("held_out") for labels in _exchanged(part.assign(held_out=False))]
    of_group = samples.groupby("group")["label"]
    return [of_group.first()] if (of_group.nunique() == 1).all() else [labels for _, labels in of_group]
