"""Selectors against random choice and against static priors, paired over splits."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from scarceseq.perturbation.metrics import METRICS
from scarceseq.selection.scores import interval_table
from scarceseq.statistics.outcomes import outcome
from scarceseq.statistics.p_values import holm

if TYPE_CHECKING:
    from scarceseq.selection.settings import JudgementSettings

# The contrasts written down before any run, against each of these; every other is secondary.
BASELINES = {"random": "random selection", "prior_only": "k-center on static priors"}
ROUNDS = "all in rounds"
# One-shot selectors that are asked whether they do as well as rounds, when these are there.
ONE_SHOT = ("v_optimal", "reach@usage")
PRIMARY = {"selector": "reach@usage", "predictor": "graph_ridge", "metric": "mse", "scale": "raw", "quantity": "area"}
SHARED = ["screen", "predictor", "metric", "scale", "quantity", "budget"]
CONTRASTS = ["kind", "screen", "graph", "selector", "against", *SHARED[1:], "difference", "low", "high", "p", "p_holm"]
CONTRASTS += ["error", "margin", "outcome", "baseline_value", "room", "splits", "transductive", "interval"]


def contrast(
    values: pd.DataFrame, settings: "JudgementSettings", controls: dict[str, str] | None = None
) -> pd.DataFrame:
    """Differences of all selectors to random, of the primary one to static priors, and of real to control graphs.

    - `values`: from `scarceseq.selection.scores.with_areas`: one per split, random already averaged over its draws
    - `controls`: the graph that each control graph was made from

    Returns columns `CONTRASTS`. ``difference`` is oriented: positive is better than what it is compared with.
    ``margin`` is the smallest difference worth having: ``worthwhile_share`` of ``room``, what the baseline leaves to be
    gained. ``outcome``: see `scarceseq.statistics.outcomes`. ``p_holm`` is adjusted for all selectors and graphs that
    are compared with the same baseline on the same screen, predictor, metric, scale and budget (Holm 1979). Rows of
    kind ``control`` compare a selector on a graph with itself on a control graph, whose name is in ``against``. Rows of
    kind ``rounds`` compare a selector in one shot with one in rounds, and with the mean of all in rounds.
    """
    tables = []
    for against in BASELINES:
        others = values[values["selector"] != against]
        if against != "random":
            others = others[others["selector"] == PRIMARY["selector"]]
        baseline = values.loc[values["selector"] == against, [*SHARED, "split", "value"]]
        pairs = others.merge(baseline, on=[*SHARED, "split"], suffixes=("", "_baseline"), validate="many_to_one")
        tables.append(judged(pairs, settings).assign(against=against))
    for control, graph in (controls or {}).items():
        keys = ["selector", *SHARED, "split"]
        baseline = values.loc[values["graph"] == control, [*keys, "value"]]
        pairs = values[values["graph"] == graph].merge(baseline, on=keys, suffixes=("", "_baseline"))
        tables.append(judged(pairs, settings).assign(against=control, kind="control"))
    pairs = one_shot_and_rounds(values)
    for against in pairs["against"].unique():
        rows = judged(pairs[pairs["against"] == against], settings)
        tables.append(rows.assign(against=against, kind="rounds"))
    table = pd.concat([rows for rows in tables if len(rows)] or tables[:1], ignore_index=True)
    families = table.groupby(["against", *SHARED], dropna=False)["p"]
    table["p_holm"] = families.transform(holm) if len(table) else table["p"]
    return table[CONTRASTS].astype({"budget": "Int32"})


def one_shot_and_rounds(values: pd.DataFrame) -> pd.DataFrame:
    """Areas of each selector in one shot beside those of each in rounds, and of the mean of all in rounds.

    Returns rows of `values`, with the columns value_baseline and against; empty where nothing was chosen in rounds.
    """
    areas = values[(values["quantity"] == "area") & (values["selector"] != "random")]
    keys = [*SHARED[:-1], "split"]
    rounds = areas[areas["cycles"] > 1]
    mean = rounds.groupby(keys, as_index=False)["value"].mean().assign(against=ROUNDS)
    each = rounds[[*keys, "value"]].assign(against=rounds["selector"] + " (" + rounds["graph"] + ")")
    several = rounds[["graph", "selector"]].drop_duplicates()
    baseline = pd.concat([mean, each], ignore_index=True) if len(several) > 1 else each
    pairs = areas[areas["cycles"] == 1].merge(baseline, on=keys, suffixes=("", "_baseline"))
    return pairs.reset_index(drop=True)


def judged(pairs: pd.DataFrame, settings: "JudgementSettings") -> pd.DataFrame:
    """Rows of `contrast` from paired values, one per split."""
    if pairs.empty:
        return pd.DataFrame(columns=CONTRASTS)
    rising = pairs["metric"].map(lambda name: METRICS[name].higher_is_better) | (pairs["scale"] == "normalised")
    difference = (pairs["value"] - pairs["value_baseline"]) * np.where(rising, 1, -1)
    pairs = pairs.assign(difference=difference, rising=rising)
    grouped = pairs.groupby(["graph", "selector", *SHARED], sort=True, dropna=False)
    table = interval_table(grouped, "difference", settings.confidence)
    table["baseline_value"], table["rising"] = grouped["value_baseline"].mean(), grouped["rising"].first()
    best = grouped["ceiling"].mean().fillna(table["rising"].astype(float))
    table["room"] = room_to_gain(table["baseline_value"], best, table["rising"])
    table["margin"] = settings.worthwhile_share * table["room"]
    limits = zip(table["low"], table["high"], table["margin"], strict=True)
    table["outcome"] = [outcome(*row).value for row in limits]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = table["difference"].abs() / table["error"].mask(table["error"] == 0)
        table["p"] = 2 * stats.t.sf(t, table["splits"] - 1)
    table["transductive"] = grouped["transductive"].first().astype(bool)
    table = table.reset_index().reindex(columns=list(dict.fromkeys([*CONTRASTS, "rising"])))
    primary = np.logical_and.reduce([table[key] == value for key, value in PRIMARY.items()])
    return table.assign(kind=np.where(primary, "primary", "secondary"))


def room_to_gain(value: pd.Series, best: pd.Series, rising: pd.Series) -> pd.Series:
    """Distance from values to the best ones possible, NaN where they are there or beyond.

    - `best`: the ceiling that the measurement's noise sets; if none is known a perfect score, 1 if `rising`, else 0
    - `rising`: whether more is better
    """
    room = (best - value) * np.where(rising, 1, -1)
    return room.where(room > 0)
