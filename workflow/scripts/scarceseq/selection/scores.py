"""Scores of all selectors and predictors: curves, areas under them, summary."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scarceseq.files import read_table
from scarceseq.perturbation.metrics import METRICS
from scarceseq.selection.fitting import CURVE_METRICS
from scarceseq.statistics.intervals import corrected_error, derivation, half_width

if TYPE_CHECKING:
    from pandas.core.groupby import DataFrameGroupBy

CELL = ["screen", "graph", "selector", "predictor", "metric"]
SCORES = [*CELL, "transductive", "pool", "test", "split", "draw", "model_seed", "round"]
SCORES += ["budget", "budget_share", "value", "floor", "ceiling"]
SUMMARY = [*CELL, "scale", "quantity", "budget", "budget_share", "mean", "low", "high", "floor", "ceiling"]
SUMMARY += ["splits", "draws", "cycles", "transductive", "interval", "status", "reason"]


def read_predictions(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Scores of all predictions: one row per split, draw, budget and metric, with the split's floor and ceiling.

    Returns `SCORES` from the tables of `scarceseq.selection.fitting.fit_selection`.
    """
    return pd.concat([mean_rows(read_table(path)) for path in paths], ignore_index=True)


def mean_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of kind mean of one table, with the columns floor and ceiling."""
    table = table.astype(dict.fromkeys(table.select_dtypes("category").columns, object))
    scores = table[table["kind"] == "mean"]
    for bound in ("floor", "ceiling"):
        keys = ["selector", "split", "metric"]
        rows = table.loc[table["kind"] == bound, [*keys, "value"]].rename(columns={"value": bound})
        scores = scores.merge(rows, on=keys, how="left", validate="many_to_one")
    whole = ["pool", "test", "split", "draw", "model_seed", "round", "budget"]
    return scores[SCORES].astype(dict.fromkeys(whole, int))


def per_split(scores: pd.DataFrame) -> pd.DataFrame:
    """One value per split, budget and scale: the mean over draws and model seeds, raw and between floor and ceiling.

    The normalised value is (x - floor) / (ceiling - floor) with the denominator averaged over splits, so that its mean
    over splits is a ratio of sums. It is given where a ceiling is known and better than the floor.

    Returns `CELL`, scale (raw or normalised), split, budget, budget_share, pool, test, transductive, floor, ceiling,
    draws, cycles (of the laboratory: rounds that the budget needs), value.
    """
    keys = [*CELL, "split", "budget"]
    rest = ["budget_share", "pool", "test", "transductive", "floor", "ceiling"]
    grouped = scores.groupby(keys, sort=True)
    counts = {"draws": grouped["draw"].nunique(), "cycles": grouped["round"].max() + 1}
    raw = grouped[rest].first().assign(value=grouped["value"].mean(), **counts).reset_index()
    width = (raw["ceiling"] - raw["floor"]).groupby([raw[key] for key in [*CELL, "budget"]]).transform(mean_of_all)
    sign = np.where(raw["metric"].map(lambda name: METRICS[name].higher_is_better), 1, -1)
    normalised = raw.assign(value=(raw["value"] - raw["floor"]) / width, floor=0.0, ceiling=1.0, scale="normalised")
    return pd.concat([raw.assign(scale="raw"), normalised[width * sign > 0]], ignore_index=True)


def mean_of_all(values: pd.Series) -> float:
    """Mean, NaN if one is missing."""
    return values.mean() if values.notna().all() else np.nan


def with_areas(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of quantity ``budget`` and, per split, one of quantity ``area``: the mean height of the curve.

    The area is the trapezoidal integral over the budget as a share of the pool, divided by the range of the budgets, so
    it has the metric's unit. It is over the budgets that all ways of choosing on a screen have.
    """
    keys = [*CELL, "scale", "split"]
    curves = shared_budgets(table).sort_values([*keys, "budget"], kind="stable")
    grouped = curves.groupby(keys, sort=True)
    last = ~curves.duplicated(keys, keep="last")
    # each budget holds the trapezoid up to the next one
    share, value = curves["budget_share"].astype(float), curves["value"]
    width = share.shift(-1) - share
    surface = (width * (value + value.shift(-1)) / 2).mask(last, 0.0)
    several = grouped["budget"].transform("size") > 1
    # the whole pool needs no choice, and so no rounds
    areas = grouped[["pool", "test", "transductive", "floor", "ceiling", "draws"]].first()
    areas["cycles"] = curves["cycles"].mask(last & several, 1).groupby([curves[key] for key in keys]).max()
    length = width.mask(last, 0.0).groupby([curves[key] for key in keys]).sum()
    surface = surface.groupby([curves[key] for key in keys]).sum()
    areas["value"] = np.where(length > 0, surface / length.where(length > 0), grouped["value"].first())
    areas = areas.reset_index().assign(quantity="area", budget=pd.NA, budget_share=np.nan)
    result = pd.concat([table.assign(quantity="budget"), areas.astype({"transductive": bool})], ignore_index=True)
    return result.astype({"budget": "Int32"})


def shared_budgets(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the budgets that every way of choosing has; rounds may end early, and areas must be comparable."""
    cell = ["screen", "predictor", "metric", "scale", "split"]
    choices = table["selector"].str.cat(table["graph"], sep="\x1f")
    wanted = choices.groupby([table[key] for key in cell]).transform("nunique")
    there = choices.groupby([table[key] for key in [*cell, "budget"]]).transform("nunique")
    return table[there == wanted]


def summarise(values: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Mean over splits with its interval, for every cell, scale, quantity and budget; columns `SUMMARY`.

    `values` are those of `with_areas`. Metrics that a screen cannot carry have status 'not defined' and a reason.
    """
    keys = [*CELL, "scale", "quantity", "budget"]
    grouped = values.groupby(keys, sort=True, dropna=False)
    table = interval_table(grouped, "value", confidence).rename(columns={"value": "mean"})
    table[["budget_share", "floor", "ceiling"]] = grouped[["budget_share", "floor", "ceiling"]].mean()
    table[["draws", "cycles"]] = grouped[["draws", "cycles"]].max().astype("Int32")
    table["transductive"] = grouped["transductive"].first().astype(bool)
    table = table.reset_index().assign(status="run", reason="")
    missing = not_defined(values)
    if len(missing):  # an empty column would change the other table's type
        table = pd.concat([table, missing.dropna(axis=1, how="all")], ignore_index=True)
    return table.astype({"budget": "Int32", "cycles": "Int32", "draws": "Int32"})[SUMMARY]


def interval_table(grouped: "DataFrameGroupBy", column: str, confidence: float) -> pd.DataFrame:
    """Mean over the splits of each group, with its interval.

    Returns one row per group: the column's mean, low, high, error (standard error), splits, interval. `grouped` has a
    row per split, with the columns test and pool.
    """
    table = grouped[[column]].mean()
    splits, ratio = grouped[column].size(), grouped["test"].first() / grouped["pool"].first()
    error = corrected_error(grouped[column].std(ddof=1), splits, ratio)
    half = half_width(error, splits, confidence)
    words = splits.map(lambda count: derivation(count, confidence))
    limits = {"low": table[column] - half, "high": table[column] + half, "error": error}
    return table.assign(**limits, splits=splits, interval=words)


def not_defined(values: pd.DataFrame) -> pd.DataFrame:
    """One row for each metric that was not computed for a screen and predictor, with the reason."""
    rows = []
    for key, group in values.groupby(["screen", "graph", "selector", "predictor"], sort=True):
        present = set(group["metric"])
        kind = next((kind for kind, names in CURVE_METRICS.items() if set(names) == present), "cells")
        for name in CURVE_METRICS["cells"]:
            if name not in present:
                about = dict(zip(["screen", "graph", "selector", "predictor"], key, strict=True))
                about |= {"metric": name, "status": "not defined", "reason": METRICS[name].undefined.get(kind, "")}
                rows.append(about | {"transductive": bool(group["transductive"].iloc[0])})
    return pd.DataFrame(rows, columns=SUMMARY).astype({"budget": "Int32", "cycles": "Int32"})
