"""Figures of the few-shot comparison: ranks, learning curves and curves of over-fitting."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.glossary import explain, explain_legend, plain_method
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import words

# What is followed along samples and steps: the guides, what they are made of, and the plain alternatives.
FOLLOWED = {
    "guided@per_tensor": (style.BLUE, "-", "D"),
    "guided@global": (style.SKY, "-", "D"),
    "full_fine_tuning": (style.BLACK, "-", "o"),
    "mean_rate@per_tensor": (style.ORANGE, "--", "s"),
    "tensor_mean_rate@per_tensor": (style.AMBER, "--", "s"),
    "permuted@per_tensor": (style.PURPLE, "--", "v"),
    "linear_probe": (style.GREEN, "-", "^"),
    "logistic@embedding": (style.GREY, ":", "P"),
    "logistic@pca": (style.GREY, "-", "X"),
}


@style.styled
def rank_figure(ranks: pd.DataFrame, family: dict[str, str], colours: dict[str | None, str]) -> Figure:
    """Mean rank of each method in one cell, best at the top; a bar as long as the critical difference starts there.

    `ranks`: one cell of ``ranks.tsv``; `family`: see `scarceseq.report.fewshot.families`; `colours`: of each family.
    """
    ranks = ranks.sort_values("mean_rank", kind="stable")
    first, distance = ranks["mean_rank"].iloc[0], ranks["critical_difference"].iloc[0]
    drawn, [[ax]] = style.figure(7.2, 1.2 + 0.2 * len(ranks))
    band = ax.axvspan(first, first + distance, color=style.LIGHT, alpha=0.45, lw=0)
    style.tell(band, f"critical difference: {text_of(distance)}")
    for place, row in enumerate(ranks.itertuples()):
        colour = colours[family.get(row.method)]
        line = ax.plot([first, row.mean_rank], [place, place], color=style.LIGHT, lw=1)
        dot = ax.plot([row.mean_rank], [place], marker="o", ms=5, color=colour, ls="none")
        style.tell([*line, *dot], f"{plain_method(row.method)}: mean rank {text_of(row.mean_rank)}")
    label = "mean rank over query studies by balanced accuracy (1 is best)"
    style.rows(ax, [plain_method(name) for name in ranks["method"]], xlabel=label)
    explain(ax, ranks["method"])
    return drawn


@style.styled
def learning_figure(summary: pd.DataFrame) -> Figure:
    """Balanced accuracy against labelled samples per class, one panel per task and number of classes.

    `summary`: rows of one base that were run, in balanced accuracy, of cells with more than one number of samples.
    """
    places = sorted({(row.task, str(row.way)) for row in summary.itertuples()})
    drawn, axes = style.figure(3.2 * len(places) + 2.2, 3.4, columns=len(places), sharey=True)
    for ax, (task, way) in zip(axes[0], places, strict=True):
        rows = summary[(summary["task"] == task) & (summary["way"].astype(str) == way)]
        _lines(ax, rows, "shot", "mean", "{:,} per class")
        ax.set_xticks(sorted(rows["shot"].unique()))
        ax.set(title=f"{words(task)}: {way} classes", xlabel="labelled samples per class")
    axes[0, 0].set_ylabel("balanced accuracy")
    _legend(drawn, axes)
    return drawn


@style.styled
def curve_figure(curves: pd.DataFrame) -> Figure:
    """Log loss on the query against steps of fine-tuning, one panel per task, classes and samples.

    `curves`: rows of one base of ``curves.tsv``.
    """
    places = sorted({(row.task, str(row.way), row.shot) for row in curves.itertuples()})
    columns = min(3, len(places))
    rows = -(-len(places) // columns)
    drawn, axes = style.figure(3.2 * columns + 2.2, 0.4 + 2.8 * rows, rows=rows, columns=columns)
    for ax, (task, way, shot) in zip(axes.flat, places, strict=False):
        group = curves[(curves["task"] == task) & (curves["way"].astype(str) == way) & (curves["shot"] == shot)]
        _lines(ax, group, "steps", "log_loss", "step {:,}")
        style.logarithmic(ax, "x")
        style.logarithmic(ax, "y")
        ax.set(title=f"{words(task)}: {way} classes, {shot} per class", xlabel="steps", ylabel="log loss on the query")
    for ax in axes.flat[len(places) :]:
        ax.set_visible(False)
    _legend(drawn, axes)
    return drawn


def _lines(ax: Axes, table: pd.DataFrame, along: str, value: str, place: str) -> None:
    for method, (colour, dashes, marker) in FOLLOWED.items():
        rows = table[table["method"] == method].sort_values(along)
        if len(rows):
            name, points = plain_method(method), zip(rows[along], rows[value], strict=True)
            line = ax.plot(rows[along], rows[value], color=colour, ls=dashes, marker=marker, ms=4, label=name)
            style.tell(line, name, [f"{name}, {place.format(x)}: {text_of(y)}" for x, y in points])
    ax.grid(True)


def _legend(drawn: Figure, axes: np.ndarray) -> None:
    handles = {}
    for ax in axes.flat:
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    legend = drawn.legend(handles.values(), handles.keys(), loc="outside right center")
    explain_legend(legend, {plain_method(method): method for method in FOLLOWED})
