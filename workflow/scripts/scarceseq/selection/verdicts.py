"""What contrasts between selectors amount to, in words that are made from the numbers."""

import numpy as np

from scarceseq.selection.contrasts import BASELINES, PRIMARY
from scarceseq.statistics.power import POWER, smallest_detectable_difference

NAMED = 5  # selectors that a sentence names before it counts


def verdict(contrasts):
    """Plain sentences on the primary contrasts, one per screen and graph.

    Parameters
    ----------
    contrasts : pandas.DataFrame
        From `contrast`.

    Returns
    -------
    str
    """
    primary = contrasts[contrasts["kind"] == "primary"]
    if primary.empty:
        return (
            "No primary contrast was run: it compares usage-weighted reach with random selection and with static "
            "priors, for ridge on graph features, by the area under the squared-error curve."
        )
    return " ".join(
        _sentence(row)
        for row in primary.sort_values(["screen", "graph", "against"], ascending=[True, True, False]).to_dict("records")
    )


def _sentence(row):
    """One sentence for one contrast with a baseline."""
    where = f"Screen {row['screen']}, selection graph {row['graph']}: "
    other = BASELINES[row["against"]]
    if not np.isfinite(row["room"]):
        return where + f"{other} already reaches the ceiling of the measurement's noise; nothing is left to gain."
    percent = 100 / row["room"]
    gain, low, high = (row[key] * percent for key in ("difference", "low", "high"))
    margin = f"{row['margin'] * percent:.0f}%"
    interval = f"({low:+.1f}% to {high:+.1f}%, positive is better, {row['splits']} splits)"
    error = "avoidable squared error" if row["room"] < row["baseline_value"] else "squared error"
    text = {
        "better": f"usage-weighted reach beats {other}, with {gain:.1f}% less {error} {interval}.",
        "worse": f"usage-weighted reach loses to {other}, with {-gain:.1f}% more {error} {interval}.",
        "no worthwhile difference": f"no worthwhile difference between usage-weighted reach and {other}; "
        f"one of {margin} of the {error} or more is ruled out {interval}.",
        "underpowered": f"no difference between usage-weighted reach and {other} was detected, but one of "
        f"{margin} of the {error} or more could be hidden {interval}.",
        "not judged": f"usage-weighted reach cannot be judged against {other} from a single split.",
    }[row["outcome"]]
    note = " The screen's profiles were prepared with the test perturbations in view." if row["transductive"] else ""
    return where + text + note


def graph_verdict(contrasts):
    """Sentences on whether usage-weighted reach needs the links of its graph, one per screen and control graph.

    Parameters
    ----------
    contrasts : pandas.DataFrame
        From `scarceseq.selection.contrasts.contrast`.

    Returns
    -------
    str
        Empty without control graphs.
    """
    chosen = contrasts["kind"] == "control"
    for key, value in PRIMARY.items():
        chosen &= contrasts[key] == value
    rows = contrasts[chosen].sort_values(["screen", "graph", "against"]).to_dict("records")
    return " ".join(_control_sentence(row) for row in rows)


def _control_sentence(row):
    where = f"Screen {row['screen']}: "
    if not np.isfinite(row["room"]):
        return f"{where}the control graph {row['against']} reaches the ceiling already; nothing is left to compare."
    percent = 100 / row["room"]
    gain, low, high = (row[key] * percent for key in ("difference", "low", "high"))
    interval = f"({low:+.1f}% to {high:+.1f}% of the squared error to be gained, {row['splits']} splits)"
    graph, control, margin = row["graph"], row["against"], f"{row['margin'] * percent:.0f}%"
    method, idle = "usage-weighted reach", "what the graph says about genes is idle here"
    sentence = {
        "better": f"{method} needs the links of {graph}: it does {gain:.1f}% better on it than on the control "
        f"{control} {interval}.",
        "worse": f"the control graph {control} serves {method} better than {graph}, by {-gain:.1f}% {interval}; "
        f"{idle}.",
        "no worthwhile difference": f"the control graph {control} serves {method} as well as {graph}: {margin} or more "
        f"is ruled out {interval}; {idle}.",
        "underpowered": f"whether {method} needs the links of {graph} cannot be told: no difference to the control "
        f"{control} was detected, but one of {margin} or more could be hidden {interval}.",
        "not judged": f"{graph} and the control {control} cannot be compared from a single split.",
    }
    return where + sentence[row["outcome"]]


def field_verdict(contrasts):
    """One paragraph per screen: what beats random, by how much, with what power, and what does not.

    Parameters
    ----------
    contrasts : pandas.DataFrame
        From `scarceseq.selection.contrasts.contrast`.

    Returns
    -------
    list of str
    """
    chosen = (contrasts["against"] == "random") & (contrasts["kind"] != "control")
    for key in ("predictor", "metric", "scale", "quantity"):
        chosen &= contrasts[key] == PRIMARY[key]
    return [_field_paragraph(screen, part) for screen, part in contrasts[chosen].groupby("screen", sort=True)]


def _field_paragraph(screen, part):
    part = part.sort_values("difference", ascending=False)
    held = part[part["p_holm"] < 0.05]
    alone = part[part["outcome"].isin(["better", "worse"]) & ~part.index.isin(held.index)]
    sentences = [
        f"Screen {screen}: {len(part)} ways of choosing (a selector on a graph each) against random choice, by the "
        "area under the squared-error curve of ridge on graph features."
    ]
    if part["p"].isna().all():
        return sentences[0] + " They cannot be judged from a single split."
    for outcome, words in (("better", "Better than random"), ("worse", "Worse than random")):
        group = held[held["outcome"] == outcome]
        sentences.append(
            f"{words}, allowing for their number: {_named(group if outcome == 'better' else group[::-1])}."
        )
    for outcome in ("better", "worse"):
        group = alone[alone["outcome"] == outcome]
        if len(group):
            text = _named(group if outcome == "better" else group[::-1])
            sentences.append(f"{outcome.capitalize()} by their own interval alone, which may be chance: {text}.")
    ruled_out, hidden = (int((part["outcome"] == word).sum()) for word in ("no worthwhile difference", "underpowered"))
    margin = (100 * part["margin"] / part["room"]).median()
    sentences.append(
        f"Of the others, {ruled_out} differ from random by less than {margin:.0f}%, and for {hidden} a difference of "
        f"that size could be hidden. {power_sentence(part)}"
    )
    if part["transductive"].any():
        sentences.append("The screen's profiles were prepared with the test perturbations in view.")
    return " ".join(sentences)


def power_sentence(part):
    """How large a difference would have been found, for one comparison alone and allowing for all."""
    freedom, error = part["splits"] - 1, 100 * part["error"] / part["room"]
    alone, together = (
        smallest_detectable_difference(error, freedom, size).median() for size in (0.05, 0.05 / len(part))
    )
    return (
        f"With {part['splits'].max()} splits, a difference of {alone:.1f}% (median over them) would be found in "
        f"{100 * POWER:.0f} of 100 repeats when looked at alone, and one of {together:.1f}% allowing for their number."
    )


def _named(group):
    """'reach (go) by 3.1% (+1.0% to +5.2%), ...', or 'none'."""
    if group.empty:
        return "none"
    texts = []
    for row in group.head(NAMED).itertuples():
        percent = 100 / row.room
        graph = f" ({row.graph})" if row.graph != "none" else ""
        interval = f"({row.low * percent:+.1f}% to {row.high * percent:+.1f}%)"
        texts.append(f"{row.selector}{graph} by {abs(row.difference) * percent:.1f}% {interval}")
    more = f" and {len(group) - NAMED} more" if len(group) > NAMED else ""
    return ", ".join(texts) + more
