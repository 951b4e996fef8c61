"""What few-shot methods reach on one small study: scores, differences, and what permuted labels reach."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scarceseq.fewshot.calibration import calibration_error
from scarceseq.fewshot.metrics import measure
from scarceseq.statistics.intervals import corrected_interval
from scarceseq.statistics.outcomes import outcome


def scores(predictions: pd.DataFrame, classes: Sequence[str], folds: int, confidence: float) -> pd.DataFrame:
    """Scores of each method, means over repeats, from all repeats of `cross_validation.cross_validate`; best first.

    `classes` are in the order of their names, `folds` those of each repeat. Columns: method, balanced_accuracy, low,
    high, interval (how it was made), auroc, log_loss, brier, calibration_error, log_loss_before (calibration),
    temperature (median over folds), diverged (share of fits).
    """
    by_fold = measure(predictions, ["method", "repeat", "fold"])
    raw = predictions.filter(like="raw_").rename(columns=lambda name: name.replace("raw_", "p_"))
    true_class = predictions["label"].map(list(classes).index).to_numpy()
    before = predictions[["method", "repeat", "label", "predicted"]].join(raw)
    before = before.assign(probability=raw.to_numpy()[np.arange(len(raw)), true_class])
    rows = []
    whole = measure(predictions, ["method", "repeat"], classes).groupby("method", sort=False).mean(numeric_only=True)
    uncalibrated = measure(before, ["method", "repeat"], classes).groupby("method")["log_loss"].mean()
    for method, of_method in predictions.groupby("method", sort=False):
        values = by_fold.loc[by_fold["method"] == method, "balanced_accuracy"]
        low, high, kind = _interval(whole.loc[method, "balanced_accuracy"], values, folds, confidence)
        surest = of_method.filter(regex=r"^p_\d+$").max(axis=1)
        error = calibration_error(surest, of_method["label"] == of_method["predicted"])
        row = {"method": method, **whole.loc[method, ["balanced_accuracy", "auroc", "log_loss", "brier"]]}
        row |= {"low": max(low, 0.0), "high": min(high, 1.0), "interval": kind, "calibration_error": error}
        row |= {"log_loss_before": uncalibrated[method], "temperature": of_method["temperature"].median()}
        rows.append(row | {"diverged": of_method["diverged"].mean()})
    columns = ["method", "balanced_accuracy", "low", "high", "interval", "auroc", "log_loss", "log_loss_before"]
    table = pd.DataFrame(rows)[[*columns, "brier", "calibration_error", "temperature", "diverged"]]
    return table.sort_values("balanced_accuracy", ascending=False, kind="stable", ignore_index=True)


def contrasts(
    predictions: pd.DataFrame, first: str, folds: int, confidence: float, smallest_difference: float
) -> pd.DataFrame:
    """Difference in balanced accuracy of the first method and each other, over the same folds.

    Columns: method, against, difference, low, high, interval, outcome (see `scarceseq.statistics.outcomes`).
    """
    wide = measure(predictions, ["method", "repeat", "fold"]).pivot(
        index=["repeat", "fold"], columns="method", values="balanced_accuracy"
    )
    whole = measure(predictions, ["method", "repeat"]).groupby("method")["balanced_accuracy"].mean()
    rows = []
    for other in predictions["method"].unique():
        if other != first:
            mean = float(whole[first] - whole[other])
            low, high, kind = _interval(mean, wide[first] - wide[other], folds, confidence)
            row = {"method": first, "against": other, "difference": mean, "low": low, "high": high, "interval": kind}
            rows.append(row | {"outcome": outcome(low, high, smallest_difference).value})
    columns = ["method", "against", "difference", "low", "high", "interval", "outcome"]
    return pd.DataFrame(rows, columns=columns)


def _interval(centre: float, of_folds: pd.Series, folds: int, confidence: float) -> tuple[float, float, str]:
    """Interval around a measure of whole repeats, as wide as folds say; low, high, how.

    The mean over folds is another number where groups leave a fold without a class, or with few samples of it.
    """
    mean, low, high, kind = corrected_interval(of_folds, 1 / max(folds - 1, 1), confidence)
    return low + centre - mean, high + centre - mean, kind
