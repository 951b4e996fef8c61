"""What the contrasts support, in words."""

import numpy as np
import pandas as pd

from scarceseq.statistics.jackknife import LEAST_STUDIES_P
from scarceseq.statistics.writer import Contrast, counted, plain, seed_caveat, sentence, sentence_of_all, study_caveats

METRIC = "balanced_accuracy"
# Cells in which fits diverged that the verdict names.
NAMED_CELLS = 3
# What each baseline is, for the sentence on what beats what.
OWN_CONTROLS = ("mean_rate@per_tensor", "tensor_mean_rate@per_tensor", "mean_rate@global", "tensor_mean_rate@global")
# Methods whose rank is given beside that of the best.
GUIDED = ("guided@per_tensor", "guided@global", "guided_adamw@per_tensor")
CONTROLS_IN_WORDS = "its mean rate for all weights or each tensor"
BASELINES_IN_WORDS = "the frozen embedding with a linear classifier"


def comparisons(contrasts: pd.DataFrame, smallest_difference: float) -> list[Contrast]:
    """What the writer says of each primary contrast in balanced accuracy, in the order of the table."""
    return [
        Contrast(
            subject=plain(row["method"]),
            rival=plain(row["against"]),
            difference=row["difference"],
            low=row["low"],
            high=row["high"],
            n=f"{counted(row['studies'], 'study', 'studies')}, {row['episodes']} episodes, "
            f"{counted(row['seeds'], 'seed')}",
            smallest_difference=smallest_difference,
            place=f"{plain(row['task'])}, {row['way']}-way {row['shot']}-shot, base {plain(row['base'])}",
            reason="" if np.isfinite(row["low"]) else row["reason"],
            p_adjusted=row["p_holm"],
        )
        for row in primary(contrasts).to_dict("records")
    ]


def primary(contrasts: pd.DataFrame) -> pd.DataFrame:
    """The contrasts that were written down before any run, in balanced accuracy."""
    return contrasts[(contrasts["kind"] == "primary") & (contrasts["metric"] == METRIC)].reset_index(drop=True)


def verdict(
    contrasts: pd.DataFrame,
    ranks: pd.DataFrame,
    smallest_difference: float,
    confidence: float,
    tuning: pd.DataFrame | None = None,
) -> str:
    """A paragraph about the primary contrasts in balanced accuracy, and what beats what.

    The tables are those written to ``contrasts.tsv`` (its seeds say how many pre-training seeds each rests on),
    ``ranks.tsv`` and ``tuning.tsv`` (which share of the test fits diverged). Methods count as equal below
    `smallest_difference`; `confidence` is the level at which a difference holds after Holm's adjustment.
    """
    rows = primary(contrasts)
    if rows.empty:
        return "No primary contrast was run: this run says nothing about guided transfer learning."
    compared, alpha = comparisons(contrasts, smallest_difference), 1 - confidence
    text = [sentence_of_all(compared, "All primary contrasts of guided few-shot learning", alpha)]
    to_controls = rows["against"].isin(OWN_CONTROLS)
    for rival, chosen in ((CONTROLS_IN_WORDS, to_controls), (BASELINES_IN_WORDS, ~to_controls)):
        for method in rows.loc[chosen, "method"].unique():
            some = [compared[place] for place in rows.index[chosen & (rows["method"] == method)]]
            text.append(sentence_of_all(some, f"{plain(method)} against {rival}", alpha))
    for _, group in ranks.groupby(["base", "task", "way", "shot"], sort=True):
        text += _best(group, confidence)
    text += [] if tuning is None else divergence(tuning)
    caveats = study_caveats(rows["studies"].tolist(), LEAST_STUDIES_P)
    caveats.append(seed_caveat(int(rows["seeds"].min()), int(rows["seeds"].max())))
    return " ".join([*text, *filter(None, caveats)])


def divergence(tuning: pd.DataFrame) -> list[str]:
    """Which methods' fits to test episodes diverged, the worst cells first; nothing if none did."""
    worst = tuning[tuning["diverged"] > 0].sort_values("diverged", ascending=False, kind="stable")
    if worst.empty:
        return []
    named = [
        f"{plain(row['method'])} {row['diverged']:.0%} ({plain(row['task'])}, {row['way']} classes x {row['shot']})"
        for row in worst.head(NAMED_CELLS).to_dict("records")
    ]
    more = f", and in {counted(len(worst) - len(named), 'more cell')}" if len(worst) > len(named) else ""
    return [
        f"Test fits diverged, which counts as chance: {', '.join(named)}{more}. Their means say as much about learning "
        "rates as about methods."
    ]


def sentences(contrasts: pd.DataFrame, smallest_difference: float) -> list[str]:
    """One sentence for each primary contrast in balanced accuracy."""
    return [sentence(each) for each in comparisons(contrasts, smallest_difference)]


def _best(group: pd.DataFrame, confidence: float) -> list[str]:
    """Sentences on which method has the best mean rank in a cell, what is close to it, and where guides stand."""
    group = group.sort_values("mean_rank", kind="stable")
    first = group.iloc[0]
    near = group[group["mean_rank"] < first["mean_rank"] + first["critical_difference"]]
    tied = int(np.isclose(group["mean_rank"], first["mean_rank"]).sum())
    place = f"{plain(first['task'])}, {first['way']} classes x {first['shot']}"
    reach = f"over {first['studies']} studies, mean balanced accuracy {first['mean']:.3f})"
    if tied == len(group):
        return [f"In {place}, all {tied} methods have the same mean rank ({reach}."]
    who = f"{plain(first['method'])} has" if tied == 1 else f"{plain(first['method'])} and {tied - 1} more have"
    text = f"In {place}, {who} the best mean rank ({first['mean_rank']:.1f} of {first['methods']} methods {reach}"
    if first["friedman_p"] >= 1 - confidence:
        text += f"; Friedman's test does not tell the methods apart (p = {first['friedman_p']:.2g})"
    elif len(near) > 1:
        others = "another is" if len(near) == 2 else f"{len(near) - 1} others are"
        text += f"; {others} within the critical difference"
    guides = [
        f"{plain(row['method'])} has mean rank {row['mean_rank']:.1f} ({row['mean']:.3f})"
        for row in group[group["method"].isin(GUIDED)].to_dict("records")
    ]
    return [f"{text}.", *([f"There {', '.join(guides)}."] if guides else [])]
