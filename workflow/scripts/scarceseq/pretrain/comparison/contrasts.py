"""Differences between embeddings, with intervals over studies and pre-training seeds, and what they allow to say."""

from typing import TYPE_CHECKING, Any

import numpy as np

from scarceseq.statistics.crossed import LEAST_STUDIES, crossed_interval
from scarceseq.statistics.intervals import WITHIN, corrected_interval
from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.writer import Contrast, counted, seed_caveat, sentence

if TYPE_CHECKING:
    import pandas as pd

METHOD = "embedding"
FLOORS = ("majority", "study_identity")
RIVALS = ("principal_components", "genes", "random_encoder")
WORDS = {
    "embedding": "frozen embedding",
    "principal_components": "principal components of the same samples",
    "genes": "all genes",
    "random_encoder": "untrained encoder",
}
LEAST_SAMPLES = 200


def contrast(scores: "pd.DataFrame", protocol: str, confidence: float) -> list[dict[str, Any]]:
    """Differences in balanced accuracy, embedding minus each rival, paired by division, study and seed.

    Across studies the unit is the study, crossed with the seed. Within studies too, if there are enough; a single study
    gets the corrected resampled t interval over its own divisions (Nadeau and Bengio 2003), which says nothing about
    other studies. `scores` are those of `scarceseq.pretrain.comparison.classification.score_representations`.

    Gives method, against, mean, mean_against, difference, low, high (None without an interval), studies, seeds,
    interval, protocol for each rival.
    """
    contrasts = []
    wide = scores.pivot(index=["study", "repeat", "fold"], columns=["method", "seed"], values="value")
    sizes = scores.groupby(["study", "repeat", "fold"])[["training_samples", "test_samples"]].first()
    for rival in RIVALS:
        embedded, other = wide[METHOD], wide[rival]
        differences = embedded - (other[embedded.columns] if len(other.columns) > 1 else other.to_numpy())
        table = differences.groupby(level="study").mean().to_numpy()  # (studies, seeds)
        low, high, kind = crossed_interval(table, confidence)
        if len(table) == 1 and protocol == "within_study":
            of_division, size = differences.mean(axis=1), sizes.loc[differences.index]
            ratio = (size["test_samples"] / size["training_samples"]).mean()
            _, low, high, _ = corrected_interval(of_division, ratio, confidence)
            kind = WITHIN
        if low == high:  # as where both methods are always right: equal values tell nothing of their spread
            low, high, kind = np.nan, np.nan, "none: all differences are equal"
        means = [values.groupby(level="study").mean().to_numpy().mean() for values in (embedded, other)]
        contrasts.append(
            {"method": METHOD, "against": rival, "mean": means[0], "mean_against": means[1], "protocol": protocol}
            | {"difference": float(table.mean()), "low": _number(low), "high": _number(high)}
            | {"studies": len(table), "seeds": table.shape[1], "interval": kind}
        )
    return contrasts


def comparisons(contrasts: list[dict], smallest_difference: float) -> list[Contrast]:
    """What the writer says of each contrast; the first is against principal components."""
    return [
        Contrast(
            subject=WORDS[row["method"]],
            rival=WORDS[row["against"]],
            difference=row["difference"],
            low=np.nan if row["low"] is None else row["low"],
            high=np.nan if row["high"] is None else row["high"],
            n=_rested_on(row),
            smallest_difference=smallest_difference,
            values=(row["mean"], row["mean_against"]),
            reason=_why_none(row) if row["low"] is None else "",
        )
        for row in contrasts
    ]


def verdict(
    contrasts: list[dict],
    base: str,
    label: str,
    training_samples: int,
    labelled: bool,
    smallest_difference: float,
    drawn: str = "",
) -> str:
    """Plain sentences on one comparison, from the result of `contrast`.

    The base was trained on `training_samples`, on this label too if `labelled`; `drawn` says how many of the labelled
    samples were drawn, if not all were taken.
    """
    compared = comparisons(contrasts, smallest_difference)
    sentences = [f"Does pre-training help (base {base}, {label})?", *map(sentence, compared)]
    if compared[0].outcome == Outcome.WORSE:
        sentences.append("Principal components do better: as configured, pre-training does not pay here.")
    if labelled:
        sentences.append("The base has learned this label from the studies it was trained on; its rivals have not.")
    if drawn:
        sentences.append(f"{drawn[0].upper()}{drawn[1:]}, by turns from each class of each study.")
    one = contrasts[0]
    if one["protocol"] == "within_study":
        studies = counted(one["studies"], "study", "studies")
        sentences.append(f"Cross-validated within {studies}: nothing here is a claim about other studies.")
    if training_samples < LEAST_SAMPLES:
        sentences.append(
            f"{training_samples} samples to train on are too few for any claim about the worth of pre-training."
        )
    return " ".join([*sentences, *filter(None, [seed_caveat(one["seeds"], one["seeds"])])])


def not_compared(base: str, label: str, reason: str) -> str:
    """The sentence on a comparison that could not be made."""
    return f"Does pre-training help (base {base}, {label})? That cannot be compared, because {reason}."


def _rested_on(row: dict[str, Any]) -> str:
    return counted(row["studies"], "study", "studies") + (f", {row['seeds']} seeds" if row["seeds"] > 1 else "")


def _why_none(row: dict[str, Any]) -> str:
    _, _, why = row["interval"].partition("none: ")
    return why or f"{counted(row['studies'], 'study', 'studies')}; an interval needs {LEAST_STUDIES}"


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
