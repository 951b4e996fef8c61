"""What guided transfer of perturbation models shows: means, differences, and a sentence."""

import pandas as pd

from scarceseq.perturbation.metrics import METRICS
from scarceseq.statistics.intervals import corrected_interval

METHODS = ("scratch", "plain", "guided", "scalar_mean", "tensor_mean", "permuted", "base", "few_mean")
CONTRASTS = (
    ("guided", "plain", "primary"),
    ("guided", "scalar_mean", "primary"),
    ("guided", "tensor_mean", "primary"),
    ("guided", "permuted", "secondary"),
    ("plain", "scratch", "secondary"),
    ("plain", "base", "secondary"),
    ("plain", "few_mean", "secondary"),
    ("guided", "few_mean", "secondary"),
)


def summarise_transfer(table, confidence):
    """Means with intervals of each method, and differences between methods, over the judged splits.

    Parameters
    ----------
    table : pandas.DataFrame
        From `transfer`.
    confidence : float

    Returns
    -------
    pandas.DataFrame
        transfer, budget, metric, kind (``value``, or that of the contrast), method, against, mean, low, high, splits,
        outcome: of a contrast, ``better`` or ``worse`` where the interval leaves out 0, else ``no difference shown``.
    """
    judged, rows = table[table["role"] == "judged"], []
    for (name, budget, metric), part in judged.groupby(["transfer", "budget", "metric"], sort=True):
        share = part["test"].iloc[0] / part["pool"].iloc[0]
        wide = part.pivot(index="split", columns="method", values="value")
        about = {"transfer": name, "budget": budget, "metric": metric, "splits": len(wide)}
        for method in METHODS:
            mean, low, high, _ = corrected_interval(wide[method], share, confidence)
            rows.append(about | {"kind": "value", "method": method, "mean": mean, "low": low, "high": high})
        sign = 1 if METRICS[metric].higher_is_better else -1
        for method, against, kind in CONTRASTS:
            mean, low, high, _ = corrected_interval(wide[method] - wide[against], share, confidence)
            row = about | {"kind": kind, "method": method, "against": against, "mean": mean, "low": low, "high": high}
            rows.append(row | {"outcome": outcome(sign * low, sign * high)})
    columns = ["transfer", "budget", "metric", "kind", "method", "against", "mean", "low", "high", "splits", "outcome"]
    return pd.DataFrame(rows).reindex(columns=columns)


def outcome(one_end, other_end):
    """What an interval of gains says."""
    low, high = min(one_end, other_end), max(one_end, other_end)
    return "better" if low > 0 else "worse" if high < 0 else "no difference shown"


def sentence(summary):
    """What the primary contrasts in squared error show, in words."""
    part = summary[summary["kind"].eq("primary") & summary["metric"].eq("mse")]
    if part.empty:
        return "No transfer was run."
    texts = []
    for name, rows in part.groupby("transfer", sort=True):
        won = {m: set(rows.loc[rows["against"] == m, "outcome"]) for m in ("plain", "scalar_mean", "tensor_mean")}
        if all(found == {"better"} for found in won.values()):
            text = "the guide beats plain fine-tuning and the controls that keep its mean alone, at every budget"
        elif "better" in won["plain"] and won["plain"] <= {"better", "no difference shown"}:
            text = "guided fine-tuning beats plain, but not the controls that keep the guide's mean alone everywhere"
            text += ": a lower learning rate explains as much"
        elif "worse" in won["plain"]:
            text = "guided fine-tuning is worse than plain at some budget"
        else:
            text = "no difference between guided and plain fine-tuning is shown"
        simple = summary[summary["against"].eq("few_mean") & summary["metric"].eq("mse") & summary["transfer"].eq(name)]
        if set(simple.loc[simple["method"] == "guided", "outcome"]) != {"better"}:
            text += "; it is not shown to beat the plain mean of the few"
        count = int(rows["splits"].iloc[0])
        texts.append(f"{name}: {text} ({count} split{'s' * (count > 1)} of one screen).")
    return " ".join(texts)
