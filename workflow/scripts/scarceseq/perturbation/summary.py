"""Predictors x metrics: means over splits with intervals, floors, ceilings, and what lies between."""

import numpy as np
import pandas as pd

from scarceseq.intervals import corrected_interval
from scarceseq.perturbation.evaluate import ABOUT
from scarceseq.perturbation.metrics import METRICS

COLUMNS = [*ABOUT, "transductive", "metric", "mean", "low", "high", "floor", "ceiling"]
COLUMNS += ["normalised", "normalised_low", "normalised_high", "splits", "interval", "status", "reason"]


def summarise(values, confidence):
    """One row per screen, predictor, source and metric.

    Parameters
    ----------
    values : pandas.DataFrame
        From `scarceseq.perturbation.evaluate.evaluate`, of all predictors.
    confidence : float

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. ``normalised`` is the mean of value - floor over the mean of ceiling - floor: 0 is the mean of the
        pool, 1 what the measurement's noise allows; NaN where no ceiling is known or it is no better than the floor.
        Its interval takes the denominator as given.
    """
    rows = []
    for key, group in values.groupby([*ABOUT, "metric"], sort=True):
        first = group.iloc[0]
        row = dict(zip([*ABOUT, "metric"], key, strict=True)) | {"transductive": bool(first["transductive"])}
        row |= {"status": first["status"], "reason": first["reason"]}
        if first["status"] == "run":
            wide = group.pivot(index="split", columns="kind", values="value")
            row |= over_splits(wide, float(first["test"]) / float(first["pool"]), key[-1], confidence)
        rows.append(row)
    order = {name: place for place, name in enumerate(METRICS)}
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return table.sort_values(
        ["screen", "metric", "predictor", "source"],
        key=lambda column: column.map(order) if column.name == "metric" else column,
        ignore_index=True,
    ).astype({"splits": "Int32"})


def over_splits(wide, test_to_pool, metric, confidence):
    """Mean, interval, floor, ceiling and normalised value of one metric.

    Parameters
    ----------
    wide : pandas.DataFrame
        value, floor, ceiling; one row per split.
    test_to_pool : float
    metric : str
    confidence : float
    """
    mean, low, high, how = corrected_interval(wide["value"], test_to_pool, confidence)
    row = {"mean": mean, "low": low, "high": high, "splits": len(wide), "interval": how}
    row["floor"] = wide["floor"].mean()
    row["ceiling"] = wide["ceiling"].mean() if wide["ceiling"].notna().all() else np.nan
    width = row["ceiling"] - row["floor"]
    if width * (1 if METRICS[metric].higher_is_better else -1) > 0:
        gained, *ends = corrected_interval(wide["value"] - wide["floor"], test_to_pool, confidence)[:3]
        ends = sorted(end / width for end in ends)
        row |= {"normalised": gained / width + 0.0, "normalised_low": ends[0], "normalised_high": ends[1]}
    return row


def capabilities(kinds):
    """What each screen can carry: metric, kind of screen, defined or not, and the reason.

    Parameters
    ----------
    kinds : dict of str to str
        Kind of each screen.
    """
    rows = [
        (screen, kind, name, metric.meaning, kind not in metric.undefined, metric.undefined.get(kind, ""))
        for screen, kind in kinds.items()
        for name, metric in METRICS.items()
    ]
    return pd.DataFrame(rows, columns=["screen", "kind", "metric", "meaning", "defined", "reason"])
