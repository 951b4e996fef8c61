"""Predictors x metrics: means over splits with intervals, floors, ceilings, and what lies between."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.perturbation.evaluate import ABOUT
from scarceseq.perturbation.metrics import MEANINGS, METRICS
from scarceseq.statistics.intervals import corrected_interval
from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.writer import Contrast, counted, plain, sentence

COLUMNS = [*ABOUT, "transductive", "metric", "mean", "low", "high", "floor", "ceiling"]
COLUMNS += ["relative", "relative_low", "relative_high", "normalised", "normalised_low", "normalised_high"]
COLUMNS += ["splits", "interval", "status", "reason"]


def summarise(values: pd.DataFrame, calibration: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """One row per screen, predictor, source and metric.

    Parameters
    ----------
    values : pandas.DataFrame
        From `scarceseq.perturbation.evaluate.evaluate`, of all predictors.
    calibration : pandas.DataFrame
        From `scarceseq.perturbation.calibration.calibrate`, of all screens.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. ``relative``, for errors, is the mean of value over the mean of floor: 1 is the mean of the pool.
        ``normalised`` is the mean of value - floor over the mean of ceiling - floor: 0 is the mean of the pool, 1 what
        the measurement's noise allows; NaN where no ceiling is known or it is no better than the floor. Intervals of
        both are those of value - floor, split by split, and take the denominator as given.
    """
    limits = calibration.pivot(index=["screen", "metric", "split"], columns="kind", values="value")
    rows = []
    for key, group in values.groupby([*ABOUT, "metric"], sort=True):
        first = group.iloc[0]
        row = dict(zip([*ABOUT, "metric"], key, strict=True)) | {"transductive": bool(first["transductive"])}
        row |= {"status": first["status"], "reason": first["reason"]}
        if first["status"] == "run":
            wide = group.set_index("split")[["value"]].join(limits.loc[(key[0], key[-1])])
            row |= over_splits(wide, float(first["test"]) / float(first["pool"]), key[-1], confidence)
        rows.append(row)
    order = {name: place for place, name in enumerate(METRICS)}
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return table.sort_values(
        ["screen", "metric", "predictor", "source"],
        key=lambda column: column.map(order) if column.name == "metric" else column,
        ignore_index=True,
    ).astype({"splits": "Int32"})


def over_splits(wide: pd.DataFrame, test_to_pool: float, metric: str, confidence: float) -> dict[str, Any]:
    """Mean, interval and normalised value of one metric, from value, floor and ceiling of each split."""
    mean, low, high, how = corrected_interval(wide["value"], test_to_pool, confidence)
    row = {"mean": mean, "low": low, "high": high, "splits": len(wide), "interval": how}
    row["floor"] = wide["floor"].mean()
    row["ceiling"] = wide["ceiling"].mean() if wide["ceiling"].notna().all() else np.nan
    higher, width = METRICS[metric].higher_is_better, row["ceiling"] - row["floor"]
    gained = np.array(corrected_interval(wide["value"] - wide["floor"], test_to_pool, confidence)[:3])
    if not higher and row["floor"] > 0:
        row |= dict(zip(("relative", "relative_low", "relative_high"), 1 + gained / row["floor"], strict=True))
    if width * (1 if higher else -1) > 0:
        ends = sorted(gained[1:] / width)
        row |= {"normalised": gained[0] / width + 0.0, "normalised_low": ends[0], "normalised_high": ends[1]}
    return row


def finding(summary: pd.DataFrame, controls: Collection[str] = ()) -> str:
    """What a screen's squared errors show, in words.

    The summary has the rows of status 'run' of one screen; controls are sources that are shuffled or rewired graphs.
    """
    compared, control, count = best_predictor(summary, controls)
    if compared is None:
        return ""
    text = sentence(compared)
    if compared.outcome == Outcome.BETTER:
        text += f" It did best of {counted(count, 'predictor')} and was picked for that afterwards."
    else:
        text += f" None of {counted(count, 'predictor')} is shown to beat the training mean; it came nearest."
    if len(control):
        text += f" On control graphs the least error is {control['relative'].min():.2f} of the training mean's."
    return text


def best_predictor(summary: pd.DataFrame, controls: Collection[str] = ()) -> tuple[Contrast | None, pd.DataFrame, int]:
    """The predictor of least squared error against the training mean, rows on control graphs, and how many were tried.

    Parameters are those of `finding`.
    """
    rows = summary[summary["metric"].eq("mse") & summary["relative"].notna()]
    rows = rows[~rows["predictor"].isin(["control", "training_mean"])]
    control, rows = rows[rows["source"].isin(controls)], rows[~rows["source"].isin(controls)]
    if rows.empty:
        return None, control, 0
    best = rows.loc[rows["relative"].idxmin()]
    source = f" ({plain(best['source'])})" if best["source"] != "none" else ""
    compared = Contrast(
        subject=f"{plain(best['predictor'])}{source}",
        rival="the training mean",
        difference=100 * (1 - best["relative"]),
        low=100 * (1 - best["relative_high"]),
        high=100 * (1 - best["relative_low"]),
        n=counted(int(best["splits"]), "split"),
        measure="squared error saved",
        place=f"screen {best['screen']}",
        unit="%",
        decimals=0,
        reason="there is one split" if int(best["splits"]) == 1 else "",
    )
    return compared, control, len(rows)


def capabilities(kinds: dict[str, str]) -> pd.DataFrame:
    """What each screen, by its kind, can carry: metric, defined or not, and the reason."""
    rows = [
        (screen, kind, name, MEANINGS[name], kind not in metric.undefined, metric.undefined.get(kind, ""))
        for screen, kind in kinds.items()
        for name, metric in METRICS.items()
    ]
    return pd.DataFrame(rows, columns=["screen", "kind", "metric", "meaning", "defined", "reason"])
