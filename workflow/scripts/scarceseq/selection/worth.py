"""What a choice is worth beside random choice: its share of the room, and how many random perturbations do as well."""

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from scarceseq.config import selector_names
from scarceseq.perturbation.metrics import METRICS
from scarceseq.statistics.intervals import corrected_interval

KEYS = ["screen", "graph", "selector", "predictor", "metric", "budget"]
COLUMNS = ["screen", "graph", "selector", "names_used", *KEYS[3:], "share", "share_low", "share_high"]
COLUMNS += ["equivalent", "equivalent_low", "equivalent_high", "pool", "splits", "interval"]
RANDOM = "random"


def worth(values: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Each choice below the whole pool against random choice, on the same splits.

    `values` are those of `scarceseq.selection.scores.with_areas`, random averaged over its draws.

    Returns `COLUMNS`. ``share``: what the choice gains over random choice of the same budget, over what the whole pool
    gains over it; its interval is that of the numerator and takes the room as given; NaN where there is no room.
    ``equivalent``: the random budget that does as well, mean over splits, read off each split's random curve, which is
    made monotone first (isotonic regression) and held at its ends. ``names_used``: see
    `scarceseq.config.selector_names.names_used`.
    """
    raw = values[(values["quantity"] == "budget") & (values["scale"] == "raw")]
    raw = raw.assign(error=raw["value"] * np.where(raw["metric"].map(rising), -1, 1))
    curves = {key: curve for key, curve in raw[raw["selector"] == RANDOM].groupby(["screen", "predictor", "metric"])}
    chosen = raw[(raw["selector"] != RANDOM) & (raw["budget"] < raw["pool"])]
    rows = []
    for key, group in chosen.groupby(KEYS, sort=True):
        curve = curves.get((key[0], key[3], key[4]))
        if curve is None:
            continue
        each = group.set_index("split")["error"]
        wide = curve.pivot(index="split", columns="budget", values="error").loc[each.index]
        ratio = float(group["test"].iloc[0]) / float(group["pool"].iloc[0])
        whole = int(group["pool"].iloc[0])
        random_sizes = [as_random(wide.loc[split].dropna(), error) for split, error in each.items()]
        equivalent = corrected_interval(random_sizes, ratio, confidence)
        room = (wide[key[-1]] - wide[whole]).mean() if key[-1] in wide and whole in wide else np.nan
        share = np.full(3, np.nan)
        if room > 0:
            share = np.array(corrected_interval(wide[key[-1]] - each, ratio, confidence)[:3]) / room
        used = selector_names.names_used(key[2])
        rows.append([*key[:3], used, *key[3:], *share, *equivalent[:3], whole, len(each), equivalent[3]])
    return pd.DataFrame(rows, columns=COLUMNS).astype({"budget": "Int32", "pool": "Int32", "splits": "Int32"})


def rising(metric: str) -> bool:
    """Whether more of a metric is better."""
    return METRICS[metric].higher_is_better


def as_random(curve: pd.Series, error: float) -> float:
    """Budget at which a falling curve reaches an error, linear between budgets and held at its ends."""
    curve = curve.sort_index()
    falling = isotonic_regression(curve.to_numpy(dtype=float), increasing=False).x
    return float(np.interp(-error, -falling, curve.index.to_numpy(dtype=float)))
