"""Figures of a study of the user's own: accuracy of the methods, probabilities, samples, genes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.forest import draw_estimate
from scarceseq.report.glossary import explain, plain_method
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import count

BEST = "best"
CALLED = {
    BEST: "best classifier, chosen in each fold",
    "best_of_counts": "the same without the model",
    "average": "average of the classifiers",
}
BINS = 5
GENES_DRAWN = 20
LEAST_P = 1e-300


def method_words(name: str) -> str:
    """A method as figures name it."""
    return CALLED.get(name) or plain_method(name)


@style.styled
def accuracy_figure(scores: pd.DataFrame, permuted_high: float | None, chance: float) -> Figure:
    """Balanced accuracy (``scores.tsv``) with its interval, highest at the top; a tick where permuted labels reach.

    `permuted_high` is what the best twentieth of permuted labels reaches with the best classifier.
    """
    drawn, axes = style.figure(7.2, 1.2 + 0.26 * len(scores))
    ax = axes[0, 0]
    style.tell(ax.axvline(chance, color=style.BLACK, lw=0.9, ls=(0, (4, 3))), f"chance: {text_of(chance)}")
    for place, row in enumerate(scores.itertuples()):
        values = row.balanced_accuracy, row.low, row.high
        draw_estimate(ax, place, values, method_words(row.method), style.BLUE, size=6)
        if row.method == BEST and permuted_high is not None:
            tick = ax.plot([permuted_high], [place], marker="|", ms=12, mew=2, color=style.ORANGE, ls="none")
            style.tell(tick, f"{method_words(row.method)}, permuted labels: {text_of(permuted_high)}")
    ax.set_yticks(range(len(scores)), [method_words(name) for name in scores["method"]])
    explain(ax, scores["method"])
    ax.set_ylim(len(scores) - 0.4, -0.6)
    ax.set_xlim(-0.02, 1.02)
    ax.set_xlabel("balanced accuracy on held-out samples")
    ax.grid(True, axis="x")
    return drawn


@style.styled
def reliability_figure(told: pd.DataFrame, classes: int) -> Figure:
    """Share of right predictions against the probability that was told, in five bins of equal width.

    `told`: predictions of one method (label, predicted, p_0, p_1, ...).
    """
    drawn, axes = style.figure(4.4, 3.6)
    ax = axes[0, 0]
    surest = told[[f"p_{number}" for number in range(classes)]].max(axis=1).to_numpy()
    right = (told["label"] == told["predicted"]).to_numpy()
    place = np.minimum((surest * BINS).astype(int), BINS - 1)
    ax.plot([0, 1], [0, 1], color=style.GREY, lw=0.9, ls=(0, (4, 3)))
    for number in np.unique(place):
        own = place == number
        at = surest[own].mean(), right[own].mean()
        dot = ax.plot(*at, marker="o", ms=7, color=style.BLUE, ls="none")
        style.tell(dot, f"{count(own.sum(), 'prediction')}: told {text_of(at[0])}, right {text_of(at[1])}")
        ax.annotate(f"{own.sum()}", at, xytext=(6, -10), textcoords="offset points", fontsize=8)
    ax.set_xlim(1 / classes - 0.05, 1.02)
    ax.set_ylim(-0.02, 1.05)
    ax.set_xlabel("probability told for the predicted class")
    ax.set_ylabel("share that is right")
    ax.grid(True)
    return drawn


@style.styled
def gene_figure(genes: pd.DataFrame, summary: Mapping[str, Any]) -> Figure:
    """The first genes, coloured by the class in which they are highest, and all genes beside the test of their counts.

    `genes` is ``genes.tsv``, `summary` ``genes.json``.
    """
    first = genes.head(GENES_DRAWN)
    drawn, axes = style.figure(8.4, 1.2 + 0.18 * len(first), columns=2)
    bars, points = axes[0]
    classes = sorted(genes["highest_in"].astype(str).unique())
    for number, name in enumerate(classes):
        own = first[first["highest_in"].astype(str) == name]
        colour = style.PALETTE[number % len(style.PALETTE)]
        drawn_bars = bars.barh(own["rank"] - 1, own["floored_attribution"], color=colour, label=f"highest in {name}")
        for bar, text in zip(drawn_bars, _gene_texts(own), strict=True):
            style.tell(bar, text)
    bars.set_yticks(range(len(first)), gene_names(first))
    bars.set_ylim(len(first) - 0.4, -0.6)
    bars.set_xlabel("integrated gradients (logits)")
    bars.legend(loc="lower right")
    tested = genes[genes["differential_rank"].notna()]
    count_first = summary["compared_first"]
    shared = tested.index.isin(tested.nsmallest(count_first, "rank").index)
    shared &= tested.index.isin(tested.nsmallest(count_first, "differential_rank").index)
    for part, colour, size in ((tested[~shared], style.LIGHT, 3), (tested[shared], style.BLUE, 5)):
        look = {"marker": "o", "ms": size, "color": colour, "ls": "none"}
        look["rasterized"] = len(part) > style.POINTS_TOLD  # as vectors they would be most of the page
        evidence = -np.log10(np.maximum(part["differential_p_value"].to_numpy(float), LEAST_P))
        dots = points.plot(part["floored_attribution"], evidence, **look)
        style.tell(dots, f"{len(part):,} genes", _gene_texts(part))
    points.set_xlabel("integrated gradients (logits)")
    points.set_ylabel("-log10 p of the counts alone")
    if summary["rank_correlation"] is not None:
        points.set_title(f"rank correlation {summary['rank_correlation']:.2f}")
    points.grid(True)
    for ax in (bars, points):
        ax.locator_params(axis="x", nbins=5)
    return drawn


def gene_names(genes: pd.DataFrame) -> pd.Series:
    """Symbol of each gene, its id where it has none."""
    return genes["gene_name"].fillna(genes["gene_id"]).astype(str)


def _gene_texts(genes: pd.DataFrame) -> list[str]:
    """What the mark of each gene tells."""
    return [
        f"{name}: integrated gradients {text_of(row.floored_attribution)}, by counts "
        f"{_p_text(row.differential_p_value)}, highest in {row.highest_in}"
        for name, row in zip(gene_names(genes), genes.itertuples(), strict=True)
    ]


def _p_text(value: float) -> str:
    return "not tested" if np.isnan(value) else f"p {value:.2g}"


@style.styled
def samples_figure(samples: pd.DataFrame) -> Figure:
    """Predicted class and probability of each row of ``samples.tsv`` that was predicted.

    Open where it is wrong, grey without a label.
    """
    ordered = samples.assign(text=samples["label"].fillna("no label").astype(str))
    ordered = ordered.sort_values(["text", "probability"], ignore_index=True)
    drawn, axes = style.figure(7.2, 1.2 + 0.18 * len(ordered))
    ax = axes[0, 0]
    classes = sorted(ordered["predicted"].astype(str).unique())
    for place, row in enumerate(ordered.itertuples()):
        colour = style.PALETTE[classes.index(str(row.predicted)) % len(style.PALETTE)]
        right = str(row.predicted) == row.text
        face = colour if right else "none"
        dot = ax.plot(row.probability, place, marker="o", ms=6, color=colour, mfc=face, ls="none")
        wrong = "" if row.wrong_share != row.wrong_share else f", wrong in {row.wrong_share:.0%} of repeats"
        style.tell(dot, f"{row.sample}: {row.text}, predicted {row.predicted} ({text_of(row.probability)}){wrong}")
    for name, colour in zip(classes, style.PALETTE, strict=False):
        ax.plot([], [], marker="o", ms=6, color=colour, ls="none", label=f"predicted {name}")
    ax.set_yticks(range(len(ordered)), [f"{row.sample} ({row.text})" for row in ordered.itertuples()])
    ax.set_ylim(len(ordered) - 0.4, -0.6)
    ax.set_xlim(0, 1.02)
    ax.set_xlabel("probability of the predicted class")
    ax.legend(loc="lower left")
    ax.grid(True, axis="x")
    return drawn
