"""Each selector against random, paired over splits, and what that amounts to in words."""

import numpy as np
import pandas as pd

from scarceseq.intervals import corrected_interval
from scarceseq.perturbation.metrics import METRICS

BASELINE = "random"
# The contrast written down before any run; every other is secondary.
PRIMARY = {"selector": "reach_usage", "predictor": "graph_ridge", "metric": "mse", "scale": "raw", "quantity": "area"}
CONTRASTS = [
    "kind",
    "screen",
    "graph",
    "selector",
    "against",
    "predictor",
    "metric",
    "scale",
    "quantity",
    "budget",
    "difference",
    "low",
    "high",
    "margin",
    "outcome",
    "baseline_value",
    "room",
    "splits",
    "transductive",
    "interval",
]


def contrast(values, settings):
    """Differences of all selectors to random.

    Parameters
    ----------
    values : pandas.DataFrame
        From `scarceseq.selection.scores.with_areas`: one value per split, random already averaged over its draws.
    settings : scarceseq.selection.settings.JudgementSettings

    Returns
    -------
    pandas.DataFrame
        Columns `CONTRASTS`. ``difference`` is oriented: positive is better than random. ``margin`` is the smallest
        difference worth having: ``worthwhile_share`` of ``room``, what random leaves to be gained. ``outcome`` is one
        of `judge`'s words.
    """
    shared = ["screen", "predictor", "metric", "scale", "quantity", "budget"]
    baseline = values[values["selector"] == BASELINE][[*shared, "split", "value"]]
    others = values[values["selector"] != BASELINE]
    paired = others.merge(baseline, on=[*shared, "split"], suffixes=("", "_random"), validate="many_to_one")
    rows = []
    for key, group in paired.groupby(["graph", "selector", *shared], sort=True, dropna=False):
        row = dict(zip(["graph", "selector", *shared], key, strict=True))
        rising = METRICS[row["metric"]].higher_is_better or row["scale"] == "normalised"
        sign = 1 if rising else -1
        difference, low, high, how = corrected_interval(
            sign * (group["value"] - group["value_random"]),
            group["test"].iloc[0] / group["pool"].iloc[0],
            settings.confidence,
        )
        value = float(group["value_random"].mean())
        room = room_to_gain(value, float(group["ceiling"].mean()), rising)
        margin = settings.worthwhile_share * room
        row |= {
            "difference": difference,
            "low": low,
            "high": high,
            "margin": margin,
            "baseline_value": value,
            "room": room,
        }
        row |= {"outcome": judge(low, high, margin), "splits": len(group), "interval": how, "against": BASELINE}
        row |= {"kind": "primary" if all(row[key] == value for key, value in PRIMARY.items()) else "secondary"}
        rows.append(row | {"transductive": bool(group["transductive"].iloc[0])})
    return pd.DataFrame(rows, columns=CONTRASTS).astype({"budget": "Int32"})


def room_to_gain(value, ceiling, rising):
    """Distance from a value to the ceiling that the measurement's noise sets, or to a perfect score if none is known.

    Parameters
    ----------
    value, ceiling : float
        Ceiling NaN where not known: then 1 for a rising scale, 0 for errors.
    rising : bool
        Whether more is better on this scale.

    Returns
    -------
    float
        NaN if the value is at or beyond the ceiling.
    """
    best = ceiling if np.isfinite(ceiling) else float(rising)
    room = best - value if rising else value - best
    return room if room > 0 else float("nan")


def judge(low, high, margin):
    """What an interval of an oriented difference says.

    Returns
    -------
    str
        ``better`` or ``worse`` if it leaves out zero; ``no worthwhile difference`` if it lies within the margin on both
        sides; ``underpowered`` if it includes zero and reaches further; ``not judged`` without an interval.
    """
    if not np.isfinite([low, high]).all():
        return "not judged"
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "no worthwhile difference" if -margin < low and high < margin else "underpowered"


def verdict(contrasts):
    """Plain sentences on the primary contrasts, one per screen and graph.

    Parameters
    ----------
    contrasts : pandas.DataFrame
        From `contrast`.

    Returns
    -------
    str
    """
    primary = contrasts[contrasts["kind"] == "primary"]
    if primary.empty:
        return (
            "No primary contrast was run: it compares usage-weighted reach with random selection for ridge on graph "
            "features, by the area under the squared-error curve."
        )
    return " ".join(_sentence(row) for row in primary.sort_values(["screen", "graph"]).to_dict("records"))


def _sentence(row):
    """One sentence for one contrast."""
    where = f"Screen {row['screen']}, selection graph {row['graph']}: "
    if not np.isfinite(row["room"]):
        return (
            where + "random selection already reaches the ceiling of the measurement's noise; nothing is left to gain."
        )
    percent = 100 / row["room"]
    gain, low, high = (row[key] * percent for key in ("difference", "low", "high"))
    margin = f"{row['margin'] * percent:.0f}%"
    interval = f"({low:+.1f}% to {high:+.1f}%, positive is better, {row['splits']} splits)"
    error = "avoidable squared error" if row["room"] < row["baseline_value"] else "squared error"
    text = {
        "better": f"usage-weighted reach beats random selection, with {gain:.1f}% less {error} {interval}.",
        "worse": f"usage-weighted reach loses to random selection, with {-gain:.1f}% more {error} {interval}.",
        "no worthwhile difference": "no worthwhile difference between usage-weighted reach and random selection; "
        f"one of {margin} of the {error} or more is ruled out {interval}.",
        "underpowered": "no difference between usage-weighted reach and random selection was detected, but one of "
        f"{margin} of the {error} or more could be hidden {interval}.",
        "not judged": "usage-weighted reach cannot be judged against random selection from a single split.",
    }[row["outcome"]]
    note = " The screen's profiles were prepared with the test perturbations in view." if row["transductive"] else ""
    return where + text + note
