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
    drawn, [[ax]] = style.figure(7.2, 1.2 + 0.26 * len(scores))
    style.tell(ax.axvline(chance, color=style.BLACK, lw=0.9, ls=(0, (4, 3))), f"chance: {text_of(chance)}")
    for place, row in enumerate(scores.itertuples()):
        values = row.balanced_accuracy, row.low, row.high
        draw_estimate(ax, place, values, method_words(row.method), style.BLUE, size=6)
        if row.method == BEST and permuted_high is not None:
            tick = ax.plot([permuted_high], [place], marker="|", ms=12, mew=2, color=style.ORANGE, ls="none")
            style.tell(tick, f"{method_words(row.method)}, permuted labels: {text_of(permuted_high)}")
    names, label = [method_words(name) for name in scores["method"]], "balanced accuracy on held-out samples"
    style.rows(ax, names, xlabel=label, xlim=(-0.02, 1.02))
    explain(ax, scores["method"])
    return drawn


@style.styled
def reliability_figure(predictions: pd.DataFrame, classes: int) -> Figure:
    """Share of right predictions against the probability that was told, in five bins of equal width.

    `predictions`: of one method (label, predicted, p_0, p_1, ...).
    """
    drawn, [[ax]] = style.figure(4.4, 3.6)
    surest = predictions[[f"p_{index}" for index in range(classes)]].max(axis=1).to_numpy()
    right = (predictions["label"] == predictions["predicted"]).to_numpy()
    bins = np.minimum((surest * BINS).astype(int), BINS - 1)
    ax.plot([0, 1], [0, 1], color=style.GREY, lw=0.9, ls=(0, (4, 3)))
    for index in np.unique(bins):
        inside = bins == index
        at = surest[inside].mean(), right[inside].mean()
        dot = ax.plot(*at, marker="o", ms=7, color=style.BLUE, ls="none")
        style.tell(dot, f"{count(inside.sum(), 'prediction')}: told {text_of(at[0])}, right {text_of(at[1])}")
        ax.annotate(f"{inside.sum()}", at, xytext=(6, -10), textcoords="offset points", fontsize=8)
    ax.set(xlim=(1 / classes - 0.05, 1.02), xlabel="probability told for the predicted class")
    ax.set(ylim=(-0.02, 1.05), ylabel="share that is right")
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
    for place, name in enumerate(classes):
        rows = first[first["highest_in"].astype(str) == name]
        colour = style.PALETTE[place % len(style.PALETTE)]
        drawn_bars = bars.barh(rows["rank"] - 1, rows["floored_attribution"], color=colour, label=f"highest in {name}")
        for bar, text in zip(drawn_bars, _gene_texts(rows), strict=True):
            style.tell(bar, text)
    bars.set_yticks(range(len(first)), gene_names(first))
    bars.set(ylim=(len(first) - 0.4, -0.6), xlabel="integrated gradients (logits)")
    bars.legend(loc="lower right")
    tested = genes[genes["differential_rank"].notna()]
    leading = [tested.nsmallest(summary["compared_first"], by).index for by in ("rank", "differential_rank")]
    shared = tested.index.isin(leading[0]) & tested.index.isin(leading[1])
    for rows, colour, size in ((tested[~shared], style.LIGHT, 3), (tested[shared], style.BLUE, 5)):
        look = {"marker": "o", "ms": size, "color": colour, "ls": "none"}
        look["rasterized"] = len(rows) > style.POINTS_TOLD  # as vectors they would be most of the page
        evidence = -np.log10(np.maximum(rows["differential_p_value"].to_numpy(float), LEAST_P))
        dots = points.plot(rows["floored_attribution"], evidence, **look)
        style.tell(dots, f"{len(rows):,} genes", _gene_texts(rows))
    points.set(xlabel="integrated gradients (logits)", ylabel="-log10 p of the counts alone")
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
        + ("not tested" if np.isnan(row.differential_p_value) else f"p {row.differential_p_value:.2g}")
        + f", highest in {row.highest_in}"
        for name, row in zip(gene_names(genes), genes.itertuples(), strict=True)
    ]


@style.styled
def samples_figure(samples: pd.DataFrame) -> Figure:
    """Predicted class and probability of each row of ``samples.tsv`` that was predicted.

    Open where it is wrong, grey without a label.
    """
    ordered = samples.assign(text=samples["label"].fillna("no label").astype(str))
    ordered = ordered.sort_values(["text", "probability"], ignore_index=True)
    drawn, [[ax]] = style.figure(7.2, 1.2 + 0.18 * len(ordered))
    classes = sorted(ordered["predicted"].astype(str).unique())
    for place, row in enumerate(ordered.itertuples()):
        colour = style.PALETTE[classes.index(str(row.predicted)) % len(style.PALETTE)]
        face = colour if str(row.predicted) == row.text else "none"
        dot = ax.plot(row.probability, place, marker="o", ms=6, color=colour, mfc=face, ls="none")
        wrong = "" if row.wrong_share != row.wrong_share else f", wrong in {row.wrong_share:.0%} of repeats"
        style.tell(dot, f"{row.sample}: {row.text}, predicted {row.predicted} ({text_of(row.probability)}){wrong}")
    for name, colour in zip(classes, style.PALETTE, strict=False):
        ax.plot([], [], marker="o", ms=6, color=colour, ls="none", label=f"predicted {name}")
    names = [f"{row.sample} ({row.text})" for row in ordered.itertuples()]
    style.rows(ax, names, xlim=(0, 1.02), xlabel="probability of the predicted class")
    ax.legend(loc="lower left")
    return drawn
