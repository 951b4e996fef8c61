"""What the contrasts support, in words."""

import numpy as np

OUTCOMES = ("win", "loss", "no difference detected", "underpowered")


def outcome(row, smallest_difference):
    """One of `OUTCOMES` for one contrast in balanced accuracy.

    A difference whose interval leaves out 0 is a win or a loss. Otherwise the contrast is underpowered if its interval
    reaches `smallest_difference` on either side, or if there is none.
    """
    if not np.isfinite(row["low"]) or not np.isfinite(row["high"]):
        return "underpowered"
    if row["low"] > 0:
        return "win"
    if row["high"] < 0:
        return "loss"
    return "underpowered" if max(-row["low"], row["high"]) >= smallest_difference else "no difference detected"


def verdict(contrasts, seeds, smallest_difference):
    """Plain sentences about the primary contrasts in balanced accuracy.

    Parameters
    ----------
    contrasts : DataFrame
        As written to ``contrasts.tsv``.
    seeds : iterable of int
        Pre-training seeds that the scores come from.
    smallest_difference : float
        Difference in balanced accuracy below which methods count as equal.

    Returns
    -------
    str
    """
    rows = contrasts[(contrasts["kind"] == "primary") & (contrasts["metric"] == "balanced_accuracy")]
    if rows.empty:
        return "No primary contrast was run: this run says nothing about guided transfer learning."
    sentences = [_sentence(row, smallest_difference) for row in rows.to_dict("records")]
    found = [outcome(row, smallest_difference) for row in rows.to_dict("records")]
    counts = ", ".join(f"{found.count(name)} {name}" for name in OUTCOMES if name in found)
    sentences.append(f"In all, {len(found)} primary contrast{'s' * (len(found) > 1)}: {counts}.")
    if len(found) > 1:
        sentences.append("The intervals are not adjusted for the number of contrasts.")
    if rows["interval"].astype(str).str.startswith("t on").any():
        sentences.append("Where there are fewer than 10 studies, no claim is made over several contrasts at once.")
    count = len(set(seeds))
    if count < 2:
        sentences.append(
            "One pre-training seed carries no seed variance: none of this is a claim about the method beyond this one "
            "base model."
        )
    elif count < 5:
        sentences.append(f"{count} pre-training seeds are fewer than the 5 that a claim about the method needs.")
    return " ".join(sentences)


def _sentence(row, smallest_difference):
    where = f"{row['task']}, {row['way']}-way {row['shot']}-shot, base {row['base']}"
    names = f"{row['method']} against {row['against']} ({where})"
    found = outcome(row, smallest_difference)
    if not np.isfinite(row["low"]):
        unit = "study gives" if row["studies"] == 1 else "studies give"
        return f"{names}: underpowered, {row['studies']} {unit} no interval (difference {row['difference']:+.3f})."
    unit = f"{row['studies']} studies, {row['episodes']} episodes"
    figures = f"difference {row['difference']:+.3f}, interval {row['low']:+.3f} to {row['high']:+.3f}; {unit}"
    if found == "underpowered":
        return f"{names}: underpowered, a difference of {smallest_difference:g} is not ruled out ({figures})."
    return f"{names}: {found} ({figures})."
