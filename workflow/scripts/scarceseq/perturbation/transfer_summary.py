"""What guided transfer of perturbation models shows: means, differences, and sentences."""

import pandas as pd

from scarceseq.perturbation.metrics import METRICS
from scarceseq.statistics.intervals import corrected_interval
from scarceseq.statistics.outcomes import Outcome, outcome
from scarceseq.statistics.writer import Contrast, counted, plain, sentence_of_all

METHODS = ("scratch", "plain", "guided", "scalar_mean", "tensor_mean", "permuted", "base", "few_mean")
NAMES = {
    "scratch": "training from scratch",
    "plain": "plain fine-tuning",
    "guided": "guided fine-tuning",
    "scalar_mean": "the guide's mean rate for all weights",
    "tensor_mean": "the guide's mean rate for each tensor",
    "permuted": "the permuted guide",
    "base": "the base model, not fine-tuned",
    "few_mean": "the plain mean of the few",
}
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


def summarise_transfer(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Means with intervals of each method, and differences between methods, over the judged splits.

    Parameters
    ----------
    table : pandas.DataFrame
        From `transfer`.

    Returns
    -------
    pandas.DataFrame
        transfer, budget, metric, kind (``value``, or that of the contrast), method, against, mean, low, high, splits,
        outcome: of a contrast (see `scarceseq.statistics.outcomes`; no smallest difference is set).
    """
    judged, rows = table[table["role"] == "judged"], []
    for (name, budget, metric), group in judged.groupby(["transfer", "budget", "metric"], sort=True):
        share = group["test"].iloc[0] / group["pool"].iloc[0]
        wide = group.pivot(index="split", columns="method", values="value")
        about = {"transfer": name, "budget": budget, "metric": metric, "splits": len(wide)}
        for method in METHODS:
            mean, low, high, _ = corrected_interval(wide[method], share, confidence)
            rows.append(about | {"kind": "value", "method": method, "mean": mean, "low": low, "high": high})
        sign = 1 if METRICS[metric].higher_is_better else -1
        for method, against, kind in CONTRASTS:
            mean, low, high, _ = corrected_interval(wide[method] - wide[against], share, confidence)
            row = about | {"kind": kind, "method": method, "against": against, "mean": mean, "low": low, "high": high}
            rows.append(row | {"outcome": outcome(*sorted((sign * low, sign * high))).value})
    columns = ["transfer", "budget", "metric", "kind", "method", "against", "mean", "low", "high", "splits", "outcome"]
    return pd.DataFrame(rows).reindex(columns=columns)


def comparisons(summary: pd.DataFrame) -> list[Contrast]:
    """What the writer says of each contrast in squared error: what the first of the two saves."""
    rows = summary[summary["metric"].eq("mse") & summary["against"].notna()]
    return [
        Contrast(
            subject=NAMES[row["method"]],
            rival=NAMES[row["against"]],
            difference=-row["mean"],
            low=-row["high"],
            high=-row["low"],
            n=counted(row["splits"], "split"),
            measure="squared error saved",
            place=f"{plain(row['transfer'])}, {row['budget']} perturbations",
            reason="" if row["splits"] > 1 else "there is one split",
        )
        for row in rows.to_dict("records")
    ]


def paragraph(summary: pd.DataFrame) -> str:
    """What the contrasts of the guide in squared error show, in words."""
    rows = summary[summary["metric"].eq("mse") & summary["method"].eq("guided") & summary["against"].notna()]
    if rows.empty:
        return "No transfer was run."
    texts = []
    for name, some in rows.groupby("transfer", sort=True):
        compared = dict(zip(some["against"], ([] for _ in range(len(some))), strict=True))
        for rival, each in zip(some["against"], comparisons(some), strict=True):
            compared[rival].append(each)
        count = counted(int(some["splits"].iloc[0]), "split")
        texts.append(f"Transfer {plain(name)}, {count} of one screen.")
        texts += [sentence_of_all(compared[rival]) for rival in ("plain", "scalar_mean", "tensor_mean", "few_mean")]
        texts.append(_conclusion({rival: {each.outcome for each in several} for rival, several in compared.items()}))
    return " ".join(texts)


def _conclusion(outcomes: dict[str, set[Outcome]]) -> str:
    """What the outcomes over all budgets amount to, by rival."""
    plain_tuning = outcomes["plain"]
    if all(outcomes[rival] == {Outcome.BETTER} for rival in ("plain", "scalar_mean", "tensor_mean")):
        text = "So the guide beats plain fine-tuning and the controls that keep its mean alone, at every budget."
    elif Outcome.BETTER in plain_tuning and Outcome.WORSE not in plain_tuning:
        text = (
            "So the guide beats plain fine-tuning, but not the controls that keep its mean alone everywhere: a lower "
            "learning rate explains as much."
        )
    elif Outcome.WORSE in plain_tuning:
        text = "So the guide is worse than plain fine-tuning at some budget."
    else:
        text = "So no difference between guided and plain fine-tuning is shown."
    if outcomes["few_mean"] != {Outcome.BETTER}:
        text += " The guide is not shown to beat the plain mean of the few."
    return text
