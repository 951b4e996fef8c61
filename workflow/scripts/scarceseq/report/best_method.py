"""Which few-shot method to use: the one that is right most often over all cells, and whether others come near."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from scarceseq.statistics.outcomes import Outcome

METRIC = "balanced_accuracy"
CELL = ["base", "task", "way", "shot"]


class Best(NamedTuple):
    """The method of the highest mean; its interval holds whatever the cells share, see `statistics.several`.

    `second` is the mean of the next best, NaN if there is none. `outcome`: better if in each cell its mean rank is the
    best, and every other's beyond the critical difference; worse if in cells of a given number of classes its interval
    reaches down to chance; not tested if there are no ranks.
    """

    name: str
    mean: float
    low: float
    high: float
    second: float
    methods: int
    cells: int
    outcome: Outcome


def best(summary: pd.DataFrame, ranks: pd.DataFrame) -> Best | None:
    """The best of the methods that were run in every cell; None where nothing was run.

    Where tasks have methods of their own, so that fewer than two were run in every cell, it is the best in those cells
    that share the same methods with most others. `summary` and `ranks` are tables of the few-shot comparison.
    """
    ran = _comparable(summary[(summary["metric"] == METRIC) & (summary["status"] == "run")])
    cells = len(ran[CELL].drop_duplicates())
    common = ran.groupby("method", sort=True)["mean"].count()
    ran = ran[ran["method"].isin(common.index[common == cells])]
    if ran.empty:
        return None
    means = ran.groupby("method", sort=True)["mean"].mean().sort_values(ascending=False, kind="stable")
    name = str(means.index[0])
    of_best = ran[ran["method"] == name]
    low, high = (float(of_best[end].mean(skipna=False)) for end in ("low", "high"))
    second = float(means.iloc[1]) if len(means) > 1 else np.nan
    ranks = ranks[ranks["method"].isin(means.index) & in_cells(ranks, ran)]
    outcome = _outcome(name, of_best, ranks, low, means)
    return Best(name, float(means.iloc[0]), low, high, second, len(means), cells, outcome)


def _comparable(ran: pd.DataFrame) -> pd.DataFrame:
    """The rows of cells that have two methods or more in common."""
    sets = ran.groupby(CELL, sort=True)["method"].agg(frozenset)
    if len(sets) < 2 or len(frozenset.intersection(*sets)) > 1:
        return ran
    methods = max(sets.unique(), key=lambda names: ((sets == names).sum(), len(names), sorted(names)))
    cells = sets[[names >= methods for names in sets]].reset_index()
    return ran[in_cells(ran, cells) & ran["method"].isin(methods)]


def in_cells(table: pd.DataFrame, cells: pd.DataFrame) -> np.ndarray:
    """Which rows of a table are of the other's cells."""
    asked, wanted = (pd.MultiIndex.from_frame(each[CELL].astype(str)) for each in (table, cells))
    return np.array(asked.isin(wanted))


def _outcome(name: str, of_best: pd.DataFrame, ranks: pd.DataFrame, low: float, means: pd.Series) -> Outcome:
    classes = pd.to_numeric(of_best["way"].astype(str), errors="coerce")
    if classes.notna().all() and (low if np.isfinite(low) else means.iloc[0]) <= (1 / classes).mean():
        return Outcome.WORSE
    if ranks.empty or len(means) < 2:
        return Outcome.NOT_TESTED
    if np.isclose(means.iloc[0], means.iloc[-1]):
        return Outcome.NO_DIFFERENCE
    alone = [_alone(name, cell) for _, cell in ranks.groupby(CELL, sort=True)]
    return Outcome.BETTER if all(alone) else Outcome.UNDECIDED


def _alone(name: str, cell: pd.DataFrame) -> bool:
    """Whether every other method ranks worse by more than the critical difference."""
    of_best = cell.loc[cell["method"] == name, "mean_rank"]
    others = cell.loc[cell["method"] != name, "mean_rank"]
    return len(of_best) == 1 and bool((others > of_best.iloc[0] + cell["critical_difference"].iloc[0]).all())
