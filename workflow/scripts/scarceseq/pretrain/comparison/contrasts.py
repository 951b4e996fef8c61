"""Differences between embeddings, with intervals over studies and pre-training seeds, and what they allow to say."""

import numpy as np

from scarceseq.statistics.crossed import crossed_interval
from scarceseq.statistics.intervals import WITHIN, corrected_interval

METHOD = "embedding"
RIVALS = ("principal_components", "genes", "random_encoder")
WORDS = {
    "embedding": "frozen embedding",
    "principal_components": "principal components of the same samples",
    "genes": "all genes",
    "random_encoder": "untrained encoder",
}
LEAST_STUDIES, LEAST_SEEDS, LEAST_SAMPLES = 3, 5, 200


def contrast(scores, protocol, confidence):
    """Differences in balanced accuracy, embedding minus each rival, paired by division, study and seed.

    Across studies the unit is the study, crossed with the seed. Within studies too, if there are enough; a single
    study gets the corrected resampled t interval over its own divisions (Nadeau and Bengio 2003), which says nothing
    about other studies.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `scarceseq.pretrain.comparison.compare.compare`.
    protocol : {'cross_study', 'within_study'}
    confidence : float

    Returns
    -------
    list of dict
        method, against, mean, mean_against, difference, low, high (None without an interval), studies, seeds,
        interval, protocol.
    """
    found = []
    wide = scores.pivot(index=["study", "repeat", "fold"], columns=["method", "seed"], values="value")
    sizes = scores.groupby(["study", "repeat", "fold"])[["training_samples", "test_samples"]].first()
    for rival in RIVALS:
        own, other = wide[METHOD], wide[rival]
        differences = own - (other[own.columns] if len(other.columns) > 1 else other.to_numpy())
        table = differences.groupby(level="study").mean().to_numpy()  # (studies, seeds)
        low, high, kind = crossed_interval(table, confidence)
        if len(table) == 1 and protocol == "within_study":
            of_division, size = differences.mean(axis=1), sizes.loc[differences.index]
            ratio = (size["test_samples"] / size["training_samples"]).mean()
            _, low, high, _ = corrected_interval(of_division, ratio, confidence)
            kind = WITHIN
        if low == high:  # as where both methods are always right: equal values tell nothing of their spread
            low, high, kind = np.nan, np.nan, "none: all differences are equal"
        means = [part.groupby(level="study").mean().to_numpy().mean() for part in (own, other)]
        found.append(
            {"method": METHOD, "against": rival, "mean": means[0], "mean_against": means[1], "protocol": protocol}
            | {"difference": float(table.mean()), "low": _number(low), "high": _number(high)}
            | {"studies": len(table), "seeds": table.shape[1], "interval": kind}
        )
    return found


def outcome(low, high, smallest_difference):
    """win, loss, no difference detected, or underpowered: without an interval, or with one that reaches so far."""
    if low is None or high is None:
        return "underpowered"
    if low > 0 or high < 0:
        return "win" if low > 0 else "loss"
    return "underpowered" if max(-low, high) >= smallest_difference else "no difference detected"


def verdict(contrasts, base, label, training_samples, labelled, smallest_difference):
    """Plain sentences on one comparison; the first is against principal components.

    Parameters
    ----------
    contrasts : list of dict
        From `contrast`.
    base, label : str
    training_samples : int
        That the base was trained on.
    labelled : bool
        Whether it was trained on this label too, of those samples.
    smallest_difference : float

    Returns
    -------
    str
    """
    found = {row["against"]: outcome(row["low"], row["high"], smallest_difference) for row in contrasts}
    sentences = [_sentence(row, found[row["against"]], smallest_difference) for row in contrasts]
    where = f"Does pre-training help (base {base}, {label})? "
    if found["principal_components"] == "loss":
        sentences.append("Principal components win: as configured, pre-training does not pay here.")
    if labelled:
        sentences.append("The base has learned this label from the studies it was trained on; its rivals have not.")
    one = contrasts[0]
    if one["protocol"] == "within_study":
        sentences.append(
            f"Cross-validated within {one['studies']} {'study' if one['studies'] == 1 else 'studies'}: nothing here is "
            "a claim about other studies."
        )
    if training_samples < LEAST_SAMPLES:
        sentences.append(
            f"{training_samples} samples to train on are too few for any claim about the worth of pre-training."
        )
    if one["seeds"] < LEAST_SEEDS:
        count = "One pre-training seed is" if one["seeds"] == 1 else f"{one['seeds']} pre-training seeds are"
        sentences.append(f"{count} fewer than the {LEAST_SEEDS} that a claim beyond these models needs.")
    return where + " ".join(sentences)


def _sentence(row, found, smallest_difference):
    count = f"{row['studies']} {'study' if row['studies'] == 1 else 'studies'}"
    count += f" x {row['seeds']} seeds" if row["seeds"] > 1 else ""
    names = f"{WORDS[row['method']].capitalize()} {row['mean']:.3f}, {WORDS[row['against']]} {row['mean_against']:.3f}"
    if row["low"] is None:
        return f"{names}: underpowered, {count} give no interval (difference {row['difference']:+.3f})."
    figures = f"difference {row['difference']:+.3f}, interval {row['low']:+.3f} to {row['high']:+.3f}; {count}"
    if found == "underpowered":
        return f"{names}: underpowered, a difference of {smallest_difference:g} is not ruled out ({figures})."
    return f"{names}: {found} ({figures})."


def _number(value):
    return None if np.isnan(value) else float(value)
