"""Selectors against random choice and against static priors, paired over splits, and what that amounts to in words."""

import numpy as np
import pandas as pd
from scipy import stats

from scarceseq.intervals import corrected_interval
from scarceseq.perturbation.metrics import METRICS

# The contrasts written down before any run, against each of these; every other is secondary.
BASELINES = {"random": "random selection", "prior_only": "k-center on static priors"}
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
    "p",
    "p_holm",
    "margin",
    "outcome",
    "baseline_value",
    "room",
    "splits",
    "transductive",
    "interval",
]


def contrast(values, settings):
    """Differences of all selectors to random, and of the primary one to static priors.

    Parameters
    ----------
    values : pandas.DataFrame
        From `scarceseq.selection.scores.with_areas`: one value per split, random already averaged over its draws.
    settings : scarceseq.selection.settings.JudgementSettings

    Returns
    -------
    pandas.DataFrame
        Columns `CONTRASTS`. ``difference`` is oriented: positive is better than random. ``margin`` is the smallest
        difference worth having: ``worthwhile_share`` of ``room``, what the baseline leaves to be gained. ``outcome`` is
        one of `judge`'s words. ``p_holm`` is adjusted for all selectors and graphs that are compared with the same
        baseline on the same screen, predictor, metric, scale and budget (Holm 1979).
    """
    tables = [_against(values, baseline, settings) for baseline in BASELINES]
    table = pd.concat([part for part in tables if len(part)] or tables[:1], ignore_index=True)
    family = ["against", "screen", "predictor", "metric", "scale", "quantity", "budget"]
    table["p_holm"] = table.groupby(family, dropna=False)["p"].transform(holm) if len(table) else table["p"]
    return table[CONTRASTS].astype({"budget": "Int32"})


def holm(p):
    """P values adjusted for their number, NaN where there is none."""
    known = p.dropna().sort_values(kind="stable")
    adjusted = np.maximum.accumulate(known.to_numpy() * np.arange(len(known), 0, -1))
    return pd.Series(np.minimum(adjusted, 1), index=known.index).reindex(p.index)


def _against(values, against, settings):
    """Rows of `contrast` for one baseline."""
    shared = ["screen", "predictor", "metric", "scale", "quantity", "budget"]
    baseline = values[values["selector"] == against][[*shared, "split", "value"]]
    others = values[values["selector"] != against]
    if against != "random":
        others = others[others["selector"] == PRIMARY["selector"]]
    paired = others.merge(baseline, on=[*shared, "split"], suffixes=("", "_baseline"), validate="many_to_one")
    rows = []
    for key, group in paired.groupby(["graph", "selector", *shared], sort=True, dropna=False):
        row = dict(zip(["graph", "selector", *shared], key, strict=True))
        rising = METRICS[row["metric"]].higher_is_better or row["scale"] == "normalised"
        sign = 1 if rising else -1
        difference, low, high, how = corrected_interval(
            sign * (group["value"] - group["value_baseline"]),
            group["test"].iloc[0] / group["pool"].iloc[0],
            settings.confidence,
        )
        value = float(group["value_baseline"].mean())
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
        row |= {"outcome": judge(low, high, margin), "splits": len(group), "interval": how, "against": against}
        row |= {"p": p_value(difference, low, high, len(group), settings.confidence)}
        row |= {"kind": "primary" if all(row[key] == value for key, value in PRIMARY.items()) else "secondary"}
        rows.append(row | {"transductive": bool(group["transductive"].iloc[0])})
    return pd.DataFrame(rows, columns=CONTRASTS)


def p_value(difference, low, high, splits, confidence):
    """Two-sided p value of the t-test that the interval inverts; NaN without an interval or without any difference."""
    half = (high - low) / 2
    if not np.isfinite(half) or half == 0:
        return float("nan")
    error = half / stats.t.ppf((1 + confidence) / 2, splits - 1)
    return float(2 * stats.t.sf(abs(difference) / error, splits - 1))


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
            "No primary contrast was run: it compares usage-weighted reach with random selection and with static "
            "priors, for ridge on graph features, by the area under the squared-error curve."
        )
    return " ".join(
        _sentence(row)
        for row in primary.sort_values(["screen", "graph", "against"], ascending=[True, True, False]).to_dict("records")
    )


def _sentence(row):
    """One sentence for one contrast."""
    where = f"Screen {row['screen']}, selection graph {row['graph']}: "
    other = BASELINES[row["against"]]
    if not np.isfinite(row["room"]):
        return where + f"{other} already reaches the ceiling of the measurement's noise; nothing is left to gain."
    percent = 100 / row["room"]
    gain, low, high = (row[key] * percent for key in ("difference", "low", "high"))
    margin = f"{row['margin'] * percent:.0f}%"
    interval = f"({low:+.1f}% to {high:+.1f}%, positive is better, {row['splits']} splits)"
    error = "avoidable squared error" if row["room"] < row["baseline_value"] else "squared error"
    text = {
        "better": f"usage-weighted reach beats {other}, with {gain:.1f}% less {error} {interval}.",
        "worse": f"usage-weighted reach loses to {other}, with {-gain:.1f}% more {error} {interval}.",
        "no worthwhile difference": f"no worthwhile difference between usage-weighted reach and {other}; "
        f"one of {margin} of the {error} or more is ruled out {interval}.",
        "underpowered": f"no difference between usage-weighted reach and {other} was detected, but one of "
        f"{margin} of the {error} or more could be hidden {interval}.",
        "not judged": f"usage-weighted reach cannot be judged against {other} from a single split.",
    }[row["outcome"]]
    note = " The screen's profiles were prepared with the test perturbations in view." if row["transductive"] else ""
    return where + text + note
