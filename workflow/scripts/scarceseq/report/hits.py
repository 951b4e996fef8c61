"""A list of genes to perturb for hits: what the responses so far tell, and what such lists took on real screens."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.blocks import Picture
from scarceseq.report.wording import count

ACQUISITIONS = {
    "upper_confidence_bound": "the upper confidence bound of the response",
    "expected_improvement": "the expected improvement on the best response",
    "thompson": "draws of the responses (Thompson sampling)",
    "expected_response": "the expected response",
}
LEVEL = 0.05


def sentence(summary: Mapping[str, Any]) -> str:
    """What was chosen, what is expected of it, and whether that can be believed, in plain words."""
    hits, wanted = summary["hits"], summary["hits_are"]
    text = (
        f"{count(summary['chosen'], 'gene')} of {count(summary['candidates'], 'candidate')}, chosen for the {wanted} "
        f"response: by the {hits['responses']:,} responses so far, {hits['mean_list']:.3g} is expected of them on "
        f"average, of all candidates {hits['mean_candidates']:.3g}; the {wanted} so far is {hits['best']:.3g}. "
    )
    chance = f"rank correlation {hits['correlation']:.2f}, P = {hits['p_value']:.3f}"
    if hits["p_value"] <= LEVEL and hits["correlation"] > 0:
        return text + f"The graphs tell the responses of the measured genes from those of the others ({chance})."
    return text + (
        f"The graphs do not tell the responses of the measured genes ({chance}): do not expect more hits of this list "
        "than of a random one."
    )


def worth(summary: Mapping[str, Any], evidence: pd.DataFrame) -> str:
    """How many of the hits such choices took on real screens.

    `evidence` is from `scarceseq.design.evidence.read_hits_evidence`.
    """
    rows = evidence[evidence["method"] == summary["acquisition"]]
    random = evidence[evidence["method"] == "random"].set_index(["screen", "response"])["hit_ratio"]
    better = "; ".join(
        f"{row.screen}, {row.response}: {100 * row.hit_ratio:.0f}% with {100 * row.measured / row.pool:.0f}% measured, "
        f"by random choice {100 * random[row.screen, row.response]:.0f}% (difference {100 * row.against_random:+.0f}, "
        f"{100 * row.against_random_low:+.0f} to {100 * row.against_random_high:+.0f})"
        for row in rows[rows["against_random_low"] > 0].itertuples()
    )
    others = rows[rows["against_random_low"] <= 0]
    text = (
        f"On real screens, with GO and STRING, {ACQUISITIONS[summary['acquisition']]} took more of the hits (the 5% "
        f"with the largest response) in nine rounds than random choice: {better}."
    )
    if len(others):
        text += f" No more is shown for {'; '.join(others['screen'] + ', ' + others['response'])}."
    return text


@style.styled
def responses_figure(order: pd.DataFrame, summary: Mapping[str, Any]) -> Figure:
    """Expected response of each gene of the list `order`, from `scarceseq.design.design.design`."""
    drawn, [[ax]] = style.figure(10.0, 3.6)
    draw_responses(ax, order, summary)
    return drawn


def draw_responses(ax: Axes, order: pd.DataFrame, summary: Mapping[str, Any]) -> None:
    """Expected responses with their deviations, in the order of the list, on given axes."""
    rank, expected, deviation = (order[name].to_numpy() for name in ("rank", "expected_response", "response_sd"))
    ax.vlines(rank, expected - deviation, expected + deviation, color=style.GREY, lw=1, alpha=0.6)
    chosen = np.asarray(order["chosen_as"] == "chosen")
    for kind, color, label in ((chosen, style.BLUE, "this list"), (~chosen, style.ORANGE, "required")):
        if kind.any():
            dots = ax.plot(rank[kind], expected[kind], "o", ms=4, color=color, label=f"{label}, with its deviation")
            style.tell(dots, label)
    hits = summary["hits"]
    best = ax.axhline(hits["best"], color=style.BLACK, lw=0.9, ls=(0, (4, 3)), label="best response so far")
    style.tell(best, f"best response so far: {hits['best']:.3g}")
    mean = ax.axhline(hits["mean_candidates"], color=style.GREY, lw=0.9, label="mean of all candidates")
    style.tell(mean, f"expected of all candidates: {hits['mean_candidates']:.3g}")
    ax.set(xlabel="rank in the list", ylabel="expected response", xlim=(0, len(order) + 1))
    ax.grid(True)
    ax.legend(loc="best")


def picture(order: pd.DataFrame, summary: Mapping[str, Any]) -> Picture:
    """The figure with its words."""
    return Picture(
        "coverage",
        responses_figure(order, summary),
        "What is expected of each gene",
        "Points: the response that the graphs and the responses so far make expected, in the order of the list. Lines: "
        "one standard deviation, without the noise of measuring. Dashed: the best response so far. Grey: the mean "
        "that is expected of all candidates.",
        f"{count(summary['hits']['responses'], 'response')} so far; {count(summary['candidates'], 'candidate')}.",
        "Expectations of a model: the largest ones are too large on average, since they were chosen for being large.",
    )
