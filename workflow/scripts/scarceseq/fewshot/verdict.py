"""What the contrasts support, in words."""

import numpy as np

from scarceseq.statistics.jackknife import LEAST_STUDIES_P

OUTCOMES = ("win", "loss", "no difference detected", "underpowered")
METRIC = "balanced_accuracy"
# What each baseline is, for the sentence on what beats what.
OWN_CONTROLS = ("scalar_mean_rate", "tensor_mean_rate", "scalar_mean_rate_global", "tensor_mean_rate_global")
LEAST_SEEDS = 5


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


def verdict(contrasts, ranks, smallest_difference, confidence):
    """A paragraph about the primary contrasts in balanced accuracy, and what beats what.

    Parameters
    ----------
    contrasts : DataFrame
        As written to ``contrasts.tsv``; column seeds says how many pre-training seeds each rests on.
    ranks : DataFrame
        As written to ``ranks.tsv``.
    smallest_difference : float
        Difference in balanced accuracy below which methods count as equal.
    confidence : float
        Level at which a difference holds after Holm's adjustment.

    Returns
    -------
    str
    """
    rows = contrasts[(contrasts["kind"] == "primary") & (contrasts["metric"] == METRIC)]
    if rows.empty:
        return "No primary contrast was run: this run says nothing about guided transfer learning."
    rows = rows.assign(outcome=[outcome(row, smallest_difference) for row in rows.to_dict("records")])
    sentences = [f"In all, {_counted(rows, confidence)}."]
    own = rows["against"].isin(OWN_CONTROLS)
    parts = (
        ("Against their own controls, the same mean rate for all weights or for each tensor", rows[own]),
        ("Against the frozen embedding with a linear classifier", rows[~own]),
    )
    for name, part in parts:
        for method in part["method"].unique():
            mine = part[part["method"] == method]
            mean = mine["difference"].mean()
            sentences.append(f"{name}, {_words(method)}: {_counted(mine, confidence)} (mean difference {mean:+.3f}).")
    sentences += [_best(group, confidence) for _, group in ranks.groupby(["base", "task", "way", "shot"], sort=True)]
    return " ".join([*sentences, *_reservations(rows)])


def sentences(contrasts, smallest_difference):
    """One sentence for each primary contrast in balanced accuracy."""
    rows = contrasts[(contrasts["kind"] == "primary") & (contrasts["metric"] == METRIC)]
    return [_sentence(row, smallest_difference) for row in rows.to_dict("records")]


def _counted(rows, confidence):
    """'4 primary contrasts: 1 win, 3 underpowered; after Holm's adjustment 0 of the wins remain'."""
    found = rows["outcome"].tolist()
    counts = ", ".join(f"{found.count(name)} {name}" for name in OUTCOMES if name in found)
    text = f"{len(found)} primary contrast{'s' * (len(found) > 1)}: {counts}"
    clear = rows[rows["outcome"].isin(["win", "loss"])]
    if len(clear) and len(rows) > 1:
        held = int((clear["p_holm"] < 1 - confidence).sum())
        text += f"; {held} of the {len(clear)} that leave out 0 hold after Holm's adjustment"
    return text


def _best(group, confidence):
    """Which method has the best mean rank in a cell, and which cannot be told from it."""
    group = group.sort_values("mean_rank", kind="stable")
    first = group.iloc[0]
    near = group[group["mean_rank"] < first["mean_rank"] + first["critical_difference"]]
    tied = int(np.isclose(group["mean_rank"], first["mean_rank"]).sum())
    guided = group[group["method"].str.startswith("guided_")]
    place = f"{_words(first['task'])}, {first['way']} classes x {first['shot']}"
    reach = f"over {first['studies']} studies, mean balanced accuracy {first['mean']:.3f})"
    if tied == len(group):
        return f"In {place}, all {tied} methods have the same mean rank ({reach}."
    who = f"{_words(first['method'])} has" if tied == 1 else f"{_words(first['method'])} and {tied - 1} more have"
    text = f"In {place}, {who} the best mean rank ({first['mean_rank']:.1f} of {first['methods']} methods {reach}"
    if first["friedman_p"] >= 1 - confidence:
        text += f"; Friedman's test does not tell the methods apart (p = {first['friedman_p']:.2g})"
    elif len(near) > 1:
        others = "another is" if len(near) == 2 else f"{len(near) - 1} others are"
        text += f"; {others} within the critical difference"
    for row in guided.to_dict("records"):
        text += f"; {_words(row['method'])} has {row['mean_rank']:.1f} ({row['mean']:.3f})"
    return text + "."


def _reservations(rows):
    """What may not be concluded."""
    found = []
    if (rows["studies"] == 1).any():
        found.append("Cells of one study say what holds for random divisions of that study, and nothing about others.")
    if (rows["studies"] < LEAST_STUDIES_P).any():
        few = f"Where there are fewer than {LEAST_STUDIES_P} studies"
        found.append(f"{few}, no claim is made over several contrasts at once.")
    fewest, most = int(rows["seeds"].min()), int(rows["seeds"].max())
    if most < 2:
        found.append(
            "One pre-training seed carries no seed variance: none of this is a claim about the method beyond this one "
            "base model."
        )
    elif fewest < LEAST_SEEDS:
        which = "" if fewest == most else "Where they are fewer, nothing is claimed beyond the base models at hand: "
        verb = "seed is" if fewest == 1 else "seeds are"
        found.append(
            f"{which}{fewest} pre-training {verb} fewer than the {LEAST_SEEDS} that a claim about the method needs."
        )
    return found


def _words(name):
    return str(name).replace("_", " ")


def _sentence(row, smallest_difference):
    where = f"{row['task']}, {row['way']}-way {row['shot']}-shot, base {row['base']}"
    names = f"{row['method']} against {row['against']} ({where})"
    found = outcome(row, smallest_difference)
    if not np.isfinite(row["low"]):
        return f"{names}: underpowered, no interval: {row['reason']} (difference {row['difference']:+.3f})."
    studies = f"{row['studies']} {'study' if row['studies'] == 1 else 'studies'}"
    unit = f"{studies}, {row['episodes']} episodes, {row['seeds']} seed{'s' * (row['seeds'] != 1)}"
    figures = f"difference {row['difference']:+.3f}, interval {row['low']:+.3f} to {row['high']:+.3f}; {unit}"
    if np.isfinite(row["p_holm"]):
        figures += f"; p after Holm's adjustment {row['p_holm']:.2g}"
    if found == "underpowered":
        return f"{names}: underpowered, a difference of {smallest_difference:g} is not ruled out ({figures})."
    return f"{names}: {found} ({figures})."
