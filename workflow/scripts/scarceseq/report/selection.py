"""Selection: learning curves over budgets, contrasts against random choice, and what is not defined."""

import pandas as pd

from scarceseq.report import style
from scarceseq.report.wording import words

RANDOM, NO_GRAPH = "random", "none"
METRIC_WORDS = {
    "pearson_delta": "Pearson correlation\nof effects",
    "mse": "mean squared error",
    "cosine": "cosine of effects",
}
LOWER_IS_BETTER = ("mse", "squared_error", "mean_squared_error")
DASHES = ("-", "--", ":", "-.")


@style.styled
def curves_figure(summary, references=None):
    """Learning curves of one screen: one row per metric, one column per predictor, one line per way of choosing.

    Parameters
    ----------
    summary : pandas.DataFrame
        graph, selector, predictor, budget, budget_share, metric, mean, low, high.
    references : pandas.DataFrame, optional
        predictor (missing: all), metric, name, value: horizontal lines such as floor and ceiling.
    """
    metrics, predictors = list(dict.fromkeys(summary["metric"])), list(dict.fromkeys(summary["predictor"]))
    looks = line_looks(summary)
    size = 1.2 + 3.7 * len(predictors), 1.0 + 2.5 * len(metrics)
    drawn, axes = style.figure(*size, rows=len(metrics), columns=len(predictors), sharex=True, sharey="row")
    for row, metric in zip(axes, metrics, strict=True):
        for ax, predictor in zip(row, predictors, strict=True):
            part = summary[(summary["metric"] == metric) & (summary["predictor"] == predictor)]
            for key, curve in part.groupby(["selector", "graph"], sort=False):
                _curve(ax, curve.sort_values("budget_share"), key, looks[key])
            if references is not None and len(references):
                _references(ax, references[references["metric"] == metric], predictor)
            ax.yaxis.grid(True)
            ax.set_title(words(predictor))
        row[0].set_ylabel(METRIC_WORDS.get(metric, words(metric)))
    for ax in axes[-1]:
        ax.set_xlabel("perturbations measured (% of the pool)")
    handles = {text: line for ax in axes.flat for line, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    drawn.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return drawn


def line_looks(summary):
    """Colour and dashes of each (selector, graph): a colour per selector, dashes per graph, random in grey."""
    selectors = [name for name in dict.fromkeys(summary["selector"]) if name != RANDOM]
    graphs = [name for name in dict.fromkeys(summary["graph"]) if name != NO_GRAPH]
    looks = {}
    for selector, graph in summary[["selector", "graph"]].drop_duplicates().itertuples(index=False):
        colour = style.GREY if selector == RANDOM else style.PALETTE[selectors.index(selector) % 7]
        looks[selector, graph] = colour, DASHES[graphs.index(graph) % 4] if graph in graphs else "-"
    return looks


def _curve(ax, curve, key, look):
    selector, graph = key
    colour, dashes = look
    label = words(selector) + (f", {words(graph)} graph" if graph != NO_GRAPH else "")
    share = 100 * curve["budget_share"]
    width = 2.2 if selector == RANDOM else 1.5
    ax.plot(share, curve["mean"], color=colour, ls=dashes, lw=width, marker="o", ms=3, label=label)
    if selector == RANDOM:
        ax.fill_between(share, curve["low"].astype(float), curve["high"].astype(float), color=colour, alpha=0.2, lw=0)


def _references(ax, references, predictor):
    for row in references.itertuples():
        if pd.isna(row.predictor) or row.predictor == predictor:
            dashes = (0, (1, 2)) if row.name_ == "floor" else (0, (6, 3))
            ax.axhline(row.value, color=style.BLACK, lw=0.9, ls=dashes, label=words(row.name_))


def section(inputs, settings):
    """Section of the page, or None if nothing was selected."""
    return None
