"""One row per screen and metric: what bad, good and perfect predictions reach, and whether they can be told apart."""

from typing import Any

import numpy as np
import pandas as pd

from scarceseq.perturbation.metrics import MEANINGS, METRICS
from scarceseq.statistics.intervals import corrected_interval

COLUMNS = ["screen", "kind", "metric", "meaning", "direction", "floor", "ceiling", "negative", "positive"]
COLUMNS += ["positive_second_half", "perfect", "dynamic_range", "range_low", "range_high", "wins", "splits"]
COLUMNS += ["status", "remark"]
NO_HALVES = "no cells, hence no halves that a control could be made of"


def metric_table(calibration: pd.DataFrame, kinds: dict[str, str], confidence: float) -> pd.DataFrame:
    """Metrics of each screen with their controls.

    Parameters
    ----------
    calibration : pandas.DataFrame
        From `scarceseq.perturbation.calibration.calibrate`, of all screens.
    kinds : dict of str to str
        Kind of each screen.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, means over splits. ``dynamic_range`` is (positive - negative) / (perfect - negative): 0 where the
        positive control is no better than the training mean, 1 where it is perfect (Miller et al. 2025); its interval
        is that of positive - negative over splits. ``wins`` is the share of perturbations in which the positive control
        beats the training mean. ``remark`` says where a metric cannot tell the two apart, or what is missing.
    """
    rows = []
    for screen, kind in kinds.items():
        of_screen = calibration[calibration["screen"] == screen]
        for name, metric in METRICS.items():
            row: dict[str, Any] = {"screen": screen, "kind": kind, "metric": name, "meaning": MEANINGS[name]}
            row |= {"direction": "higher" if metric.higher_is_better else "lower", "perfect": metric.perfect}
            if kind in metric.undefined:
                row |= {"status": "not defined", "remark": metric.undefined[kind]}
            else:
                row |= {"status": "run"} | measured(of_screen[of_screen["metric"] == name], name, confidence)
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS).astype({"splits": "Int32"})


def measured(rows: pd.DataFrame, name: str, confidence: float) -> dict[str, object]:
    """Means over splits, the dynamic range with its interval, and the remark, of one metric of one screen."""
    wide = rows.pivot(index="split", columns="kind", values="value")
    result: dict[str, object] = {str(kind): wide[kind].mean() for kind in wide} | {"splits": len(wide)}
    if wide["positive"].isna().all():
        return result | {"remark": NO_HALVES}
    perfect = METRICS[name].perfect
    ratio = float(rows["test"].iloc[0]) / float(rows["pool"].iloc[0])
    gained = np.array(corrected_interval(wide["positive"] - wide["negative"], ratio, confidence)[:3])
    room = perfect - wide["negative"].mean()
    if room == 0:
        return result | {"remark": "The training mean is perfect by this metric here."}
    middle, *ends = gained / room
    result |= {"dynamic_range": middle, "range_low": min(ends), "range_high": max(ends)}
    return result | {"remark": remark(float(min(ends)), float(middle), float(wide["wins"].mean()))}


def remark(low: float, middle: float, wins: float) -> str:
    """One sentence where a metric is not shown to tell a replicate of the measurement from the training mean."""
    if middle <= 0 or wins <= 0.5:
        return "Does not tell a replicate of the measurement from the training mean on this screen."
    if np.isnan(low):
        return "One split: there is no interval."
    if low <= 0:
        return "Not shown to tell a replicate of the measurement from the training mean: the interval holds 0."
    return ""
