"""What contrasts between selectors amount to, in words that are made from the numbers."""

from typing import Any

import numpy as np
import pandas as pd

from scarceseq.selection.contrasts import BASELINES, ONE_SHOT, PRIMARY, ROUNDS
from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.power import POWER, smallest_detectable_difference
from scarceseq.statistics.writer import Contrast, counted, plain, sentence, sentence_of_all

NAMED = 4  # selectors that a sentence names before it counts
METHOD = "usage-weighted reach"
IN_VIEW = "The screen's profiles were prepared with the test perturbations in view."
NO_PRIMARY = (
    "No primary contrast was run. It compares usage-weighted reach with random selection and with static priors, for "
    "ridge on graph features, by the area under the squared-error curve."
)


def comparison(row: dict) -> Contrast:
    """What the writer says of one contrast: gains as percentages of what the rival leaves to be gained."""
    if row["kind"] == "control":
        subject, rival = f"{METHOD} on {plain(row['graph'])}", f"its control {plain(row['against'])}"
        place = f"screen {row['screen']}"
    elif row["kind"] == "rounds":
        name = METHOD if row["selector"] == PRIMARY["selector"] else plain(row["selector"])
        subject = f"choosing in one shot by {name}"
        rival = "choosing in rounds, on average" if row["against"] == ROUNDS else f"{plain(row['against'])} in rounds"
        place = f"screen {row['screen']}, graph {row['graph']}, predictor {plain(row['predictor'])}"
    else:
        subject = METHOD if row["selector"] == PRIMARY["selector"] else plain(row["selector"]).replace("@", " on ")
        rival, place = BASELINES[row["against"]], f"screen {row['screen']}, graph {row['graph']}"
    avoidable = "avoidable " if row["room"] < row["baseline_value"] else ""
    percent, reason = 100 / row["room"], "" if np.isfinite(row["low"]) else "there is a single split"
    if not np.isfinite(row["room"]):
        reason = f"{rival} already reaches the ceiling of the measurement's noise, and nothing is left to gain"
    return Contrast(
        subject=subject,
        rival=rival,
        difference=row["difference"] * percent,
        low=row["low"] * percent,
        high=row["high"] * percent,
        n=counted(row["splits"], "split"),
        measure=f"{avoidable}squared error saved",
        smallest_difference=row["margin"] * percent,
        place=place,
        unit="%",
        decimals=1,
        reason=reason,
    )


def verdict(contrasts: pd.DataFrame) -> str:
    """One sentence for each primary contrast, by screen and graph, from `scarceseq.selection.contrasts.contrast`."""
    primary = contrasts[contrasts["kind"] == "primary"]
    if primary.empty:
        return NO_PRIMARY
    rows = primary.sort_values(["screen", "graph", "against"], ascending=[True, True, False]).to_dict("records")
    return " ".join(sentence(comparison(row)) + (f" {IN_VIEW}" if row["transductive"] else "") for row in rows)


def graph_verdict(contrasts: pd.DataFrame) -> str:
    """Sentences on whether usage-weighted reach needs the links of its graph, for each screen and control graph.

    Empty without control graphs.
    """
    chosen = contrasts["kind"] == "control"
    for key, value in PRIMARY.items():
        chosen &= contrasts[key] == value
    rows = contrasts[chosen].sort_values(["screen", "graph", "against"]).to_dict("records")
    return " ".join(_graph_sentences(row) for row in rows)


def rounds_verdict(contrasts: pd.DataFrame) -> str:
    """Is one shot as accurate as rounds? A sentence for each screen, predictor and planned selector in one shot.

    The margin is `worthwhile_share` of what rounds leave to be gained.
    """
    chosen = (contrasts["kind"] == "rounds") & contrasts["selector"].isin(ONE_SHOT)
    for key in ("metric", "scale", "quantity"):
        chosen &= contrasts[key] == PRIMARY[key]
    rows = contrasts[chosen].sort_values(["screen", "graph", "predictor", "selector"])
    counts = rows.groupby(["screen", "graph", "predictor", "selector"])["against"].transform("nunique")
    rows = rows[(rows["against"] == ROUNDS) | (counts == 1)]
    return " ".join(sentence(comparison(row)) for row in rows.to_dict("records"))


def _graph_sentences(row: dict[str, Any]) -> str:
    compared = comparison(row)
    meaning = {
        Outcome.BETTER: f" So it needs the links of {plain(row['graph'])}.",
        Outcome.WORSE: " So what the graph says about genes is idle here.",
        Outcome.NO_DIFFERENCE: " So what the graph says about genes is idle here.",
    }
    return sentence(compared) + meaning.get(compared.outcome, "")


def field_verdict(contrasts: pd.DataFrame) -> list[str]:
    """One paragraph per screen: what does better than random, by how much, with what power, and what does not."""
    chosen = (contrasts["against"] == "random") & (contrasts["kind"] != "control")
    for key in ("predictor", "metric", "scale", "quantity"):
        chosen &= contrasts[key] == PRIMARY[key]
    return [_field_paragraph(screen, rows) for screen, rows in contrasts[chosen].groupby("screen", sort=True)]


def _field_paragraph(screen: str, rows: pd.DataFrame) -> str:
    rows = rows.sort_values("difference", ascending=False)
    held = rows[rows["p_holm"] < 0.05]
    alone = rows[rows["outcome"].isin([Outcome.BETTER, Outcome.WORSE]) & ~rows.index.isin(held.index)]
    sentences = [
        f"Screen {screen}: {len(rows)} ways of choosing (a selector on a graph each) against random choice, by the "
        "area under the squared-error curve of ridge on graph features."
    ]
    if rows["p"].isna().all():
        return sentences[0] + " They were not tested: there is a single split."
    sentences.append(sentence_of_all([comparison(row) for row in rows.to_dict("records")], "all against random choice"))
    for kind in (Outcome.BETTER, Outcome.WORSE):
        sentences.append(f"{kind.capitalize()} than random, allowing for their number: {_named(held, kind)}.")
    for kind in (Outcome.BETTER, Outcome.WORSE):
        if (alone["outcome"] == kind).any():
            sentences.append(
                f"{kind.capitalize()} by their own interval alone, which may be chance: {_named(alone, kind)}."
            )
    ruled_out, hidden = (int((rows["outcome"] == kind).sum()) for kind in (Outcome.NO_DIFFERENCE, Outcome.UNDECIDED))
    margin = (100 * rows["margin"] / rows["room"]).median()
    sentences.append(
        f"Of the others, {ruled_out} differ from random by less than {margin:.0f}%, and for {hidden} a difference of "
        "that size could be hidden."
    )
    sentences.append(power_sentence(rows))
    if rows["transductive"].any():
        sentences.append(IN_VIEW)
    return " ".join(sentences)


def power_sentence(rows: pd.DataFrame) -> str:
    """How large a difference would have been found, for one comparison alone and allowing for all."""
    freedom, error = rows["splits"] - 1, 100 * rows["error"] / rows["room"]
    alone, together = (
        smallest_detectable_difference(error, freedom, size).median() for size in (0.05, 0.05 / len(rows))
    )
    return (
        f"With {rows['splits'].max()} splits, a difference of {alone:.1f}% (median over them) would be found in "
        f"{100 * POWER:.0f} of 100 repeats when looked at alone, and one of {together:.1f}% allowing for their number."
    )


def _named(rows: pd.DataFrame, kind: Outcome) -> str:
    """'reach (go) by 3.1% [+1.0% to +5.2%], ...', the largest differences first, or 'none'."""
    rows = rows[rows["outcome"] == kind]
    if rows.empty:
        return "none"
    texts = []
    for row in (rows if kind == Outcome.BETTER else rows[::-1]).head(NAMED).itertuples():
        percent = 100 / row.room
        graph = f" ({row.graph})" if row.graph != "none" else ""
        interval = f"[{row.low * percent:+.1f}% to {row.high * percent:+.1f}%]"
        texts.append(f"{row.selector}{graph} by {abs(row.difference) * percent:.1f}% {interval}")
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return ", ".join(texts) + more
