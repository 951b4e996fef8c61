"""Permutations of labels that a study's design allows: within blocks, within pairs, groups as wholes."""

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd


def exchange_sets(samples: pd.DataFrame) -> list[list[np.ndarray]]:
    """Which rows may change labels with which: units (rows that keep one label) of each set that exchanges labels.

    Where groups have one label each, groups change labels, as wholes; where a group has several, its samples do among
    themselves. Neither goes from one block into another, nor between held-out samples and others. `samples` has the
    columns label, group, held_out, and block if there are blocks.
    """
    rows = np.arange(len(samples))
    blocks = samples["block"].to_numpy() if "block" in samples else np.full(len(samples), "")
    outside = samples["held_out"].to_numpy()
    sets = []
    for held_out in np.unique(outside):
        chosen = rows[outside == held_out]
        members = samples.iloc[chosen].groupby("group", sort=True).indices.values()
        groups = [chosen[places] for places in members]
        labels = samples["label"].to_numpy()
        if all(len(set(labels[unit])) == 1 for unit in groups):
            by_block: dict[tuple[str, ...], list[np.ndarray]] = {}
            for unit in groups:
                by_block.setdefault(tuple(sorted(set(map(str, blocks[unit])))), []).append(unit)
            sets += [by_block[block] for block in sorted(by_block)]
        else:
            for unit in groups:
                for block in sorted(set(map(str, blocks[unit]))):
                    sets.append([np.array([row]) for row in unit if str(blocks[row]) == block])
    return sets


def permuted(samples: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """The samples with their labels in another order, as far as `exchange_sets` lets them."""
    labels = samples["label"].to_numpy().copy()
    for units in exchange_sets(samples):
        first = [labels[unit[0]] for unit in units]
        for unit, place in zip(units, generator.permutation(len(units)), strict=True):
            labels[unit] = first[place]
    return samples.assign(label=labels)


def arrangements(samples: pd.DataFrame) -> float:
    """In how many ways `permuted` can lay out the labels (a float, since it may be huge), names of classes aside.

    Classes that are equally many wherever labels change places may also change names, all at once: the predictions are
    then the same under other names, and as good.
    """
    from scipy.special import factorial, gammaln

    counts = _class_counts(samples)
    layouts = np.exp(sum(gammaln(row.sum() + 1) - gammaln(row + 1).sum() for row in counts)).round()
    alike = np.unique(counts, axis=1, return_counts=True)[1]
    return float(layouts / factorial(alike).prod())


def every_arrangement(samples: pd.DataFrame) -> Iterator[np.ndarray]:
    """Labels of each of the `arrangements`, but for the one at hand; only where these are few."""
    labels = samples["label"].to_numpy()
    sets = exchange_sets(samples)
    counts = _class_counts(samples)
    classes = sorted(samples["label"].unique())
    kinds = [tuple(column) for column in counts.T]
    alike = [[name for name, kind in zip(classes, kinds, strict=True) if kind == one] for one in dict.fromkeys(kinds)]
    seen = {_renamed(labels, alike)}
    orders = [list(_orders(sorted(labels[unit[0]] for unit in units))) for units in sets]
    for chosen in itertools.product(*orders):
        laid_out = labels.copy()
        for units, order in zip(sets, chosen, strict=True):
            for unit, label in zip(units, order, strict=True):
                laid_out[unit] = label
        name = _renamed(laid_out, alike)
        if name not in seen:
            seen.add(name)
            yield laid_out


def _orders(labels: list[str]) -> Iterator[tuple[str, ...]]:
    """Each distinct order of sorted labels, in the order of a dictionary."""
    if not labels:
        yield ()
    for label in dict.fromkeys(labels):
        rest = labels.copy()
        rest.remove(label)
        yield from ((label, *others) for others in _orders(rest))


def _renamed(labels: np.ndarray, alike: list[list[str]]) -> tuple[str, ...]:
    """The labels with exchangeable classes named in the order in which they appear."""
    names: dict[str, str] = {}
    for classes in alike:
        appear = [label for label in dict.fromkeys(labels) if label in classes]
        names |= dict(zip(appear, classes, strict=False))
    return tuple(names[label] for label in labels)


def _class_counts(samples: pd.DataFrame) -> np.ndarray:
    """How many units of each class each exchange set has, (sets, classes)."""
    labels = samples["label"].to_numpy()
    classes = sorted(samples["label"].unique())
    rows = [[labels[unit[0]] for unit in units] for units in exchange_sets(samples)]
    return np.array([[row.count(name) for name in classes] for row in rows])
