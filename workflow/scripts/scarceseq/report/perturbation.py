"""Predictors of unseen perturbations: what each reaches between floor and ceiling, and what a screen cannot carry."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scarceseq.perturbation.summary import finding
from scarceseq.perturbation.transfer_summary import paragraph
from scarceseq.report import style
from scarceseq.report.blocks import Block, Paragraph, Picture, Section, Table
from scarceseq.report.forest import draw_estimate
from scarceseq.report.glossary import explain
from scarceseq.report.inputs import Inputs
from scarceseq.report.interactions import interactions_table
from scarceseq.report.strata import strata_table
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import span, words

NO_SOURCE = "none"
RELATIVE = "mse / floor"
WORTH_OF_MODES = (
    "On two generated screens, trained for equally long, parts of the perturbations (moments) ended with 7 % less "
    "squared error than mini-batches of cells (95 % intervals: 16 % less to 3 % more, 19 % less to 7 % more): no "
    "difference is shown. All perturbations at once ended with 36 and 19 % more (3 to 80, 8 to 31)."
)
"""From docs/benchmark/gears_modes.tsv."""
CONTROLS = ("shuffled", "rewired")
"""Kinds of graph that say nothing about genes."""
DRAWN = ("mse", "pearson_delta", "pearson_delta_perturbed_mean", "centroid_accuracy")
"""Metrics that get a panel, those a screen has; the others are in the table."""


def label(row: Any) -> str:
    """Name of a predictor and of what it is given."""
    return words(row.predictor) + (f" ({words(row.source)})" if row.source != NO_SOURCE else "")


def predictor_table(summary: pd.DataFrame) -> pd.DataFrame:
    """One row per predictor of a screen, one column per metric: mean and interval over splits; floor and ceiling last.

    `summary`: rows of status 'run' of one screen.
    """
    rows = summary.copy()
    rows["text"] = [interval(row.mean, row.low, row.high) for row in rows.itertuples()]
    relative = rows[rows["metric"].eq("mse") & rows["relative"].notna()]
    texts = [interval(row.relative, row.relative_low, row.relative_high) for row in relative.itertuples()]
    bounds = rows.drop_duplicates("metric").dropna(subset=["floor"])
    rows = pd.concat([relative.assign(metric=RELATIVE, text=texts), rows], ignore_index=True)
    rows["name"] = [label(row).replace(" ", "\u00a0") for row in rows.itertuples()]
    metrics, names = (list(dict.fromkeys(rows[column])) for column in ("metric", "name"))
    for name in ("floor", "ceiling"):
        bound = bounds[bounds[name].notna()].assign(name=f"[{name}]")
        rows = pd.concat([rows, bound.assign(text=[f"{value:.3g}" for value in bound[name]])], ignore_index=True)
        names += [f"[{name}]"] * bool(len(bound))
    wide = rows.pivot(index="name", columns="metric", values="text").loc[names, metrics]
    return wide.fillna("").rename_axis("predictor").reset_index()


def interval(mean: float, low: float, high: float) -> str:
    """A mean and its interval, on one line."""
    return f"{mean:.3g}\u00a0[{low:.3g},\u00a0{high:.3g}]"


@style.styled
def predictor_figure(summary: pd.DataFrame) -> Figure:
    """Mean and interval of each predictor, one panel per metric, floor and ceiling as lines.

    `summary`: rows of status 'run' of one screen.
    """
    metrics = [metric for metric in DRAWN if metric in set(summary["metric"])]
    names = list(dict.fromkeys(label(row) for row in summary.itertuples()))
    size = 2.2 + 2.5 * len(metrics), 1.2 + 0.26 * len(names)
    drawn, axes = style.figure(*size, columns=len(metrics), sharey=True)
    for ax, metric in zip(axes[0], metrics, strict=True):
        rows = summary[summary["metric"] == metric]
        relative = metric == "mse" and rows["relative"].notna().all()
        scale = rows["floor"].iloc[0] if relative else 1.0
        title = RELATIVE if relative else words(metric)
        columns = ["relative", "relative_low", "relative_high"] if relative else ["mean", "low", "high"]
        for row, values in zip(rows.itertuples(), rows[columns].to_numpy(), strict=True):
            draw_estimate(ax, names.index(label(row)), values, f"{label(row)}, {title}", style.BLUE)
        for name, dashes in (("floor", (0, (1, 2))), ("ceiling", (0, (6, 3)))):
            if np.isfinite(rows[name].iloc[0]):
                place = rows[name].iloc[0] / scale
                line = ax.axvline(place, color=style.BLACK, lw=0.9, ls=dashes)
                style.tell(line, f"{name}, {title}: {text_of(place)}")
        ax.set_title(title)
        ax.grid(True, axis="x")
        ax.margins(x=0.12)
    style.rows(axes[0, 0], names)
    explain(axes[0, 0], [name.partition(" (")[0].replace(" ", "_") for name in names])
    return drawn


def section(inputs: Inputs, settings: Mapping[str, Any]) -> Section | None:
    """Section of the page, or None if nothing was predicted; the config `settings` says which graphs are controls."""
    if not inputs.has("perturbation_summary"):
        return None
    summary = inputs.table("perturbation_summary")
    summary["source"] = summary["source"].fillna(NO_SOURCE)
    ran = summary[summary["status"] == "run"]
    graphs = settings.get("network", {}).get("graphs", {})
    controls = {name for name, graph in graphs.items() if graph["kind"] in CONTROLS}
    findings = [finding(rows, controls) for _, rows in ran.groupby("screen", sort=True)]
    blocks: list[Block] = [Paragraph(text, "finding") for text in findings if text]
    if "gears" in set(ran["predictor"]):
        blocks.append(Paragraph(how_gears_learned(settings["predictors"]["gears"])))
    note = (
        "Trained on the whole pool of each split, judged on its test perturbations: mean over splits and its interval "
        "(splits share perturbations, which it allows for). The perturbed gene itself does not count. Floor: the mean "
        "effect of the pool; ceiling: what the measurement's noise allows, where it can be known. "
        f"{RELATIVE}: squared error over the floor's, compared split by split."
    )
    strata = inputs.table("perturbation_strata")
    for screen, rows in ran.groupby("screen", sort=True):
        blocks.append(_picture(screen, rows))
        title = f"Predictors and metrics, screen {screen}"
        blocks.append(Table(f"perturbation_predictors_{screen}", rows, title, note, shown=predictor_table(rows)))
        blocks.append(strata_table(str(screen), strata[strata["screen"] == screen]))
    normalised = ran.dropna(subset=["normalised"])
    if len(normalised):
        columns = ["screen", "predictor", "source", "metric", "normalised", "normalised_low", "normalised_high"]
        note = "0 is the floor, 1 the ceiling; only where a ceiling is known and better than the floor."
        title = "Between floor and ceiling"
        blocks.append(Table("perturbation_normalised", normalised[columns], title, note))
    blocks += [*_metrics(inputs), *interactions_table(inputs), *_transfer(inputs)]
    return Section("perturbation", "Predicting unseen perturbations", blocks)


def _metrics(inputs: Inputs) -> list[Paragraph | Table]:
    """What each metric can tell: a sentence on those that cannot, and the table; nothing if there is none."""
    if not inputs.has("perturbation_metrics"):
        return []
    table = inputs.table("perturbation_metrics")
    note = (
        "Negative: the training mean; positive: a replicate, that is the second half of the cells, mixed with the "
        "training mean gene by gene as the test of the first half is sure of a change (with the test of the second "
        "half: positive second half). Both predict the first half, so that they differ from floor and ceiling, which "
        "are of whole profiles. Dynamic range: (positive - negative) / (perfect - negative). Wins: share of "
        "perturbations in which the replicate beats the training mean. Ceilings without a closed form are simulated."
    )
    sentences = [Paragraph(text) for text in blind_metrics(table)]
    return [*sentences, Table("perturbation_metrics", table, "Metrics and what they can tell", note)]


def blind_metrics(table: pd.DataFrame) -> list[str]:
    """For each screen, a sentence that names the metrics not shown to tell a replicate from the training mean.

    `table` is from `scarceseq.perturbation.metric_table.metric_table`.
    """
    blind = table[table["range_low"].notna() & table["remark"].notna() & (table["remark"] != "")]
    return [
        f"On screen {screen} these metrics are not shown to tell a replicate of the measurement, and hence a good "
        f"predictor, from the training mean: {', '.join(words(name) for name in rows['metric'])}."
        for screen, rows in blind.groupby("screen", sort=True)
    ]


def how_gears_learned(settings: Mapping[str, Any]) -> str:
    """What a training step of GEARS saw (settings mode, batch), and what the modes are worth."""
    size = settings["batch"]
    if settings["mode"] == "moments":
        what = f"{size} perturbations" if size else "all perturbations"
        text = f"GEARS learned from {what} at a time, by four moments of their cells."
    else:
        text = f"GEARS learned from {size} cells at a time (mode {settings['mode']})."
    return f"{text} {WORTH_OF_MODES}"


def _picture(screen: str, rows: pd.DataFrame) -> Picture:
    view = " The data were prepared with the held-out perturbations in view." * bool(rows["transductive"].any())
    return Picture(
        f"perturbation_{screen}",
        predictor_figure(rows),
        f"Predictors on screen {screen}",
        "Each row is a predictor, with the graph or embedding that it was given; points are means over splits, bars "
        "their intervals. Dotted: the floor, predicting the mean effect of the pool; dashed: the ceiling that the "
        "measurement's noise allows. Squared error, as a share of the floor's: left is better; the others: right is "
        "better.",
        f"{span(rows['splits'].astype(int), 'split')} of one screen.",
        "Overlapping intervals do not mean that two predictors are alike: they share splits. One screen is one "
        f"experiment.{view}",
    )


def _transfer(inputs: Inputs) -> list[Paragraph | Picture | Table]:
    """Guided transfer between screens: the sentence, a figure and a table; nothing if there is none."""
    if not inputs.has("perturbation_transfer"):
        return []
    summary = inputs.table("perturbation_transfer")
    note = (
        "A network (GEARS) trained on one screen and fine-tuned on few perturbations of another; learning rates chosen "
        "on validation splits, as many candidates for each. Base: not fine-tuned; few mean: mean of the few. Rows of "
        "kind primary and secondary are differences between two methods on the same splits."
    )
    values = summary[summary["kind"] == "value"]
    splits = span(values["splits"].astype(int))
    picture = Picture(
        "perturbation_transfer",
        transfer_figure(values[values["metric"] == "mse"]),
        "Guided transfer to few perturbations",
        "Squared error on unseen perturbations of the target, mean over splits and its interval; left is better.",
        f"{splits} judged splits of one screen.",
        "Methods share splits: the table has their differences. One screen is one experiment.",
    )
    table = Table("perturbation_transfer_differences", summary, "Guided transfer", note)
    return [Paragraph(paragraph(summary), "finding"), picture, table]


@style.styled
def transfer_figure(values: pd.DataFrame) -> Figure:
    """Mean and interval of each method, one panel per transfer and budget.

    `values`: rows of kind 'value' of one metric.
    """
    panels = list(values.groupby(["transfer", "budget"], sort=True))
    names = list(dict.fromkeys(values["method"]))
    size = 1.8 + 2.6 * len(panels), 1.2 + 0.26 * len(names)
    drawn, axes = style.figure(*size, columns=len(panels), sharey=True)
    for ax, ((name, budget), rows) in zip(axes[0], panels, strict=True):
        for row in rows.itertuples():
            colour, values = style.ORANGE if row.method == "guided" else style.BLUE, (row.mean, row.low, row.high)
            draw_estimate(ax, names.index(row.method), values, f"{words(row.method)}, squared error", colour)
        ax.set_title(f"{words(name)}, {budget} perturbations")
        ax.grid(True, axis="x")
    style.rows(axes[0, 0], [words(name) for name in names])
    return drawn
