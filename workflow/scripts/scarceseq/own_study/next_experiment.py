"""The next experiment of a user's own study: how many samples find which change, and which go into which batch.

A gene's moderated variance of log counts holds both what counting adds, 1 / mean, and the dispersion between samples.
So the power to find a change is that of Hart et al. 2013 (Journal of Computational Biology 20), with the t distribution
of the test in place of the normal one, at the level of p that a false discovery rate means (Jung 2005).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from scarceseq.seeds import derive
from scarceseq.statistics.power import POWER, level_of_p

SIZES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48)
FOLD_CHANGES = (1.5, 2.0, 4.0)
CHANGED_SHARE, FALSE_DISCOVERY = 0.05, 0.05
GRID, ROUNDS, ENDLESS, LEAST_LEVEL = 200, 200, 1e6, 1e-12
LARGEST_SHIFT = 30.0


def power_of_each(
    deviation: np.ndarray, prior_freedom: float, classes: int, size: int, change: float, blocked: bool
) -> tuple[np.ndarray, float]:
    """Power of a moderated t test to call each gene, and the level of p at which genes are called.

    Power and level depend on each other; they are iterated from full power, and fall together to the largest solution.
    `deviation`, (genes,), is the moderated standard deviation of log2 counts per million between samples of one class,
    `prior_freedom` that of the prior of the variances. Two of the study's `classes` are compared, with `size` samples
    (groups) of each, for a log2 fold `change`; `blocked` if each group has a sample of every class.
    """
    freedom = min((size - 1) * (classes - 1 if blocked else classes) + prior_freedom, ENDLESS)
    shift = np.minimum(change / (deviation * np.sqrt(2 / size)), LARGEST_SHIFT)
    power, level = np.ones(len(shift)), 1.0
    for _ in range(ROUNDS):
        before, level = level, min(level_of_p(power, CHANGED_SHARE, FALSE_DISCOVERY), 1.0)
        if abs(before - level) <= 1e-6 * before:
            break
        critical = stats.t.isf(level / 2, freedom)
        power = stats.nct.sf(critical, freedom, shift) + stats.nct.sf(critical, freedom, -shift)
    return (power, level) if level > LEAST_LEVEL else (np.zeros(len(shift)), 0.0)


def differential_power(table: pd.DataFrame, summary: dict[str, Any], samples: pd.DataFrame) -> pd.DataFrame:
    """Share of the changed genes that a study of each size would find, with the noise of this one.

    `table` and `summary` are from `scarceseq.own_study.differential.differential_genes`; `samples` has the columns
    label, group. Columns: groups_per_class, fold_change, found_share (mean power), well_powered_share (genes of a power
    of 0.8 or more), p_threshold, as_now (the size of the smallest class of this study).
    """
    counts = samples.drop_duplicates(["group", "label"])["label"].value_counts()
    now = max(int(counts.min()), 2)
    levels = (np.arange(GRID) + 0.5) / GRID
    deviation = np.quantile(table["log2_sd"], levels)
    about = float(summary["prior_freedom"]), len(counts)
    rows = []
    for size in sorted({*SIZES, now}):
        for fold in FOLD_CHANGES:
            power, level = power_of_each(deviation, *about, size, float(np.log2(fold)), bool(summary["blocked"]))
            rows.append((size, fold, power.mean(), (power >= POWER).mean(), level, size == now))
    columns = ["groups_per_class", "fold_change", "found_share", "well_powered_share", "p_threshold", "as_now"]
    return pd.DataFrame(rows, columns=columns)


def layout(classes: Sequence[str], per_class: int, batches: int, seed: int) -> pd.DataFrame:
    """Samples of the next experiment in batches: a blocked, randomised design (Fisher 1935; Hu et al. 2004).

    In each batch (what is handled together: a day, a plate, a lane) the classes have as many samples, or one more or
    less; so have the batches. Which batch has one more, and the order of a batch's samples, are drawn. Columns: sample,
    class, batch, place (the order within the batch).
    """
    generator = np.random.default_rng(derive(seed, "layout"))
    names, place = generator.permutation(batches) + 1, 0
    rows = []
    for name in classes:
        extra = per_class % batches
        turns = [(place + turn) % batches for turn in range(extra)]
        place += extra
        batch = [names[turn] for turn in [*range(batches)] * (per_class // batches) + turns]
        rows += [(name, int(each)) for each in generator.permutation(batch)]
    table = pd.DataFrame(rows, columns=["class", "batch"])
    width = len(str(len(table)))
    table.insert(0, "sample", [f"sample_{row:0{width}d}" for row in range(1, len(table) + 1)])
    table = table.iloc[generator.permutation(len(table))].sort_values("batch", kind="stable", ignore_index=True)
    return table.assign(place=table.groupby("batch").cumcount() + 1)
