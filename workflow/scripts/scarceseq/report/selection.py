"""Selection: learning curves over budgets, contrasts against random choice, and what is not defined."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scarceseq.report import choices, style, worth
from scarceseq.report.blocks import Block, Paragraph, Picture, Section, Table
from scarceseq.report.forest import forest_figure
from scarceseq.report.glossary import explain_legend
from scarceseq.report.inputs import Inputs
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import estimate, span, words
from scarceseq.selection.contrasts import BASELINES, PRIMARY
from scarceseq.selection.verdicts import field_verdict, graph_verdict, rounds_verdict, verdict
from scarceseq.statistics.outcomes import meanings

RANDOM, NO_GRAPH = "random", "none"
METRIC_WORDS = {
    "mse": "mean squared error",
    "pearson_delta": "correlation of effects\n(difference to control)",
    "pearson_delta_perturbed_mean": "correlation of effects\n(difference to the mean effect)",
    "cosine": "cosine of effects",
}
"""Metrics that get a figure, in this order; the others are in the table."""

CONTRAST_COLUMNS = "kind screen selector graph against predictor metric outcome difference low high p_holm room splits"
DASHES = ("-", "--", ":", "-.")
WAYS_DRAWN, ROWS_DRAWN = 7, 24


@style.styled
def curves_figure(summary: pd.DataFrame) -> Figure:
    """Learning curves of one screen: one row per metric, one column per predictor, one line per way of choosing.

    `summary`: graph, selector, predictor, budget_share, metric, mean, low, high, floor, ceiling (NaN where not known).
    """
    metrics = [metric for metric in METRIC_WORDS if metric in set(summary["metric"])]
    predictors = sorted(set(summary["predictor"]))
    looks = line_looks(summary)
    size = 1.2 + 3.7 * len(predictors), 1.0 + 2.5 * len(metrics)
    drawn, axes = style.figure(*size, rows=len(metrics), columns=len(predictors), sharex=True, sharey="row")
    for row, metric in zip(axes, metrics, strict=True):
        for ax, predictor in zip(row, predictors, strict=True):
            group = summary[(summary["metric"] == metric) & (summary["predictor"] == predictor)]
            for key, curve in group.groupby(["selector", "graph"], sort=False):
                _curve(ax, curve.sort_values("budget_share"), key, looks[key])
            for name, dashes in (("floor", (0, (1, 2))), ("ceiling", (0, (6, 3)))):
                if group[name].notna().any():
                    line = ax.axhline(group[name].mean(), color=style.BLACK, lw=0.9, ls=dashes, label=name)
                    style.tell(line, f"{name}: {text_of(group[name].mean())}")
            ax.yaxis.grid(True)
            ax.set_title(words(predictor))
        row[0].set_ylabel(METRIC_WORDS[metric])
    for ax in axes[-1]:
        ax.set_xlabel("perturbations measured (% of the pool)")
    handles = {text: line for ax in axes.flat for line, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    legend = drawn.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    explain_legend(legend, {_way_words(*key): key[0] for key in looks})
    return drawn


def line_looks(summary: pd.DataFrame) -> dict[tuple[str, str], tuple[str, str]]:
    """Colour and dashes of each (selector, graph): a colour per selector, dashes per graph, random in grey."""
    selectors = [name for name in dict.fromkeys(summary["selector"]) if name != RANDOM]
    graphs = [name for name in dict.fromkeys(summary["graph"]) if name != NO_GRAPH]
    looks = {}
    for selector, graph in summary[["selector", "graph"]].drop_duplicates().itertuples(index=False):
        colour = style.GREY if selector == RANDOM else style.PALETTE[selectors.index(selector) % 7]
        looks[selector, graph] = colour, DASHES[graphs.index(graph) % 4] if graph in graphs else "-"
    return looks


def _way_words(selector: str, graph: str) -> str:
    return words(selector) + (f", {words(graph)} graph" if graph != NO_GRAPH else "")


def _curve(ax: Axes, curve: pd.DataFrame, key: tuple[str, str], look: tuple[str, str]) -> None:
    random, label, (colour, dashes) = key[0] == RANDOM, _way_words(*key), look
    share, width = 100 * curve["budget_share"], 2.2 if random else 1.5
    line = ax.plot(share, curve["mean"], color=colour, ls=dashes, lw=width, marker="o", ms=3, label=label)
    points = zip(share, curve["budget"], curve["mean"], curve["low"], curve["high"], strict=True)
    style.tell(line, label, [f"{label}, {n:,.0f} perturbations ({s:.0f}%): {estimate(*v)}" for s, n, *v in points])
    if random:
        low, high = (curve[end].astype(float) for end in ("low", "high"))
        band = ax.fill_between(share, low, high, color=colour, alpha=0.2, lw=0)
        style.tell(band, f"{label}, interval over splits")


def area_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Mean height of each learning curve with its interval: one row per way of choosing, one column per metric.

    `summary`: rows of quantity 'area'. Those of scale 'normalised' get columns of their own, where a ceiling is known.
    """
    rows = summary[summary["metric"].isin(METRIC_WORDS)].copy()
    rows["text"] = [f"{r.mean:.4g}\u00a0[{r.low:.4g},\u00a0{r.high:.4g}]" for r in rows.itertuples()]
    rows["column"] = rows["metric"] + rows["scale"].map({"raw": "", "normalised": ", floor 0, ceiling 1"})
    keys = ["screen", "predictor", "selector", "graph"]
    wide = rows.pivot(index=keys, columns="column", values="text")
    columns = [metric + scale for metric in METRIC_WORDS for scale in ("", ", floor 0, ceiling 1")]
    return wide[[column for column in columns if column in wide.columns]].reset_index()


def relative(contrasts: pd.DataFrame) -> pd.DataFrame:
    """Contrasts as a percentage of what random leaves to be gained; those where nothing is left are n/a.

    `contrasts`: difference, low, high, room (from random's value to the ceiling; NaN where random is there already).
    """
    scaled = contrasts.copy()
    for column in ("difference", "low", "high"):
        scaled[column] = 100 * scaled[column] / scaled["room"]
    return scaled


def conclusions(contrasts: pd.DataFrame) -> list[str]:
    """The verdict on each primary contrast, on one shot against rounds, and on whether the graphs matter."""
    primary = contrasts[contrasts["kind"] == "primary"]
    groups = [rows for _, rows in primary.groupby(["screen", "graph"], sort=True)] or [primary]
    sentences = [f"Choosing perturbations. {verdict(rows)}" for rows in groups]
    asked = {"Is one shot as accurate as rounds?": rounds_verdict(contrasts)}
    asked |= {"Does the graph matter?": graph_verdict(contrasts)}
    return [*sentences, *(f"{question} {answer}" for question, answer in asked.items() if answer)]


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if nothing was selected."""
    if not inputs.has("selection_summary"):
        return None
    summary = inputs.table("selection_summary")
    contrasts = inputs.stacked("selection_contrasts")
    blocks: list[Block] = []
    if len(contrasts):
        blocks += [Paragraph(text, "finding") for text in conclusions(contrasts)]
        blocks += [Paragraph(text) for text in field_verdict(contrasts)]
    ran = summary[summary["status"] == "run"]
    every, ran = ran[ran["quantity"] == "area"], ran[ran["scale"] == "raw"]
    curves, areas = ran[ran["quantity"] == "budget"], ran[ran["quantity"] == "area"]
    blocks += [_curves_picture(*each) for each in drawn_ways(curves, areas).groupby("screen", sort=True)]
    if len(contrasts):
        blocks += _contrast_blocks(contrasts)
    blocks += worth.blocks(inputs)
    note = (
        "Mean height of each learning curve over its budgets (area over range), with its interval over splits; also "
        "on a scale from the floor (0) to the ceiling (1), where a ceiling is known."
    )
    table = Table("selection_areas", every, "Learning curves in one number", note, shown=area_table(every))
    blocks += [table, *choices.blocks(inputs), *_undefined_table(summary[summary["status"] != "run"])]
    blocks.append(Table("selection_summary", summary, "All means and intervals"))
    return Section("selection", "Choosing perturbations", blocks)


def selector_graph_pairs(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Distinct (selector, graph) pairs."""
    return list(dict.fromkeys(zip(table["selector"], table["graph"], strict=True)))


def drawn_ways(curves: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Rows of the ways of choosing that a figure can hold: those of the planned contrasts, and the best of the others.

    `curves` and `areas`: rows of quantity budget and area of the summary, raw scale.
    """
    planned = {PRIMARY["selector"], *BASELINES}
    tables = []
    for screen, rows in curves.groupby("screen", sort=True):
        of_screen = areas[(areas["screen"] == screen) & (areas["metric"] == PRIMARY["metric"])]
        error = of_screen.groupby(["selector", "graph"])["mean"].mean().sort_values()
        fixed = [pair for pair in selector_graph_pairs(rows) if pair[0] in planned]
        others = [pair for pair in error.index if pair not in fixed]
        kept = {*fixed, *others[: max(WAYS_DRAWN - len(fixed), 3)]}
        tables.append(rows[[pair in kept for pair in zip(rows["selector"], rows["graph"], strict=True)]])
    return pd.concat(tables) if tables else curves


def _curves_picture(screen: str, rows: pd.DataFrame) -> Picture:
    view = " The data were prepared with the held-out perturbations in view." * bool(rows["transductive"].any())
    drawn = len(selector_graph_pairs(rows))
    return Picture(
        f"selection_curves_{screen}",
        curves_figure(rows),
        f"Learning curves on screen {screen}",
        "Each line is a way of choosing which perturbations to measure; the predictor is trained on those and judged "
        "on perturbations held out from all. Grey with its band: random choice, mean and interval over splits. Dotted: "
        "the floor, predicting the mean effect of the whole pool; dashed: the ceiling that the measurement's noise "
        f"allows. Of many ways of choosing {drawn} are drawn: the planned contrasts and the best of the others.",
        f"{span(rows['splits'], 'split')} of one screen; {rows['draws'].max():,.0f} random draws in each; budgets of "
        f"{span(rows['budget'].astype(int), 'perturbation')}.",
        "The band says how well random choice does over splits, not how much a line differs from it: for that see the "
        "contrasts. Splits share perturbations, which the intervals allow for; one screen is one experiment. Lines "
        f"meet at 100%, where nothing is left to choose.{view}",
    )


def _contrast_blocks(contrasts: pd.DataFrame) -> list:
    raw = contrasts[(contrasts["scale"] == "raw") & (contrasts["quantity"] == "area")]
    drawn = raw[(raw["metric"] == "mse") & (raw["against"] == RANDOM)]
    drawn = drawn.sort_values(["kind", "screen", "predictor", "selector", "graph"])
    drawn = relative(drawn).dropna(subset=["difference"])
    blocks: list[Block] = [_contrast_picture(*each) for each in drawn.groupby("screen", sort=True)]
    columns = [*CONTRAST_COLUMNS.split(), *(["transductive"] if contrasts["transductive"].any() else [])]
    areas = raw.sort_values(["kind", "screen", "metric", "predictor", "selector", "graph"]).reset_index(drop=True)
    note = (
        "Positive is better than what it is compared with, whatever the metric. Difference, low and high are "
        "percentages of room: what that leaves to be gained up to the ceiling. "
        f"{meanings()} Primary contrasts were fixed before the run. p holm is adjusted for the "
        "number of selectors and graphs compared."
    )
    title = "Against random choice and static priors"
    blocks.append(Table("selection_contrasts_area", areas, title, note, shown=relative(areas)[columns]))
    title = "Against random choice, for each budget and scale"
    return [*blocks, Table("selection_contrasts_all", contrasts, title)]


def _contrast_name(row: Any) -> str:
    graph = f" ({words(row.graph)})" if row.graph != NO_GRAPH else ""
    name = f"{words(row.selector)}{graph}, {words(row.predictor)}"
    return f"{name} [primary]" if row.kind == "primary" else name


def _contrast_picture(screen: str, contrasts: pd.DataFrame) -> Picture:
    total = len(contrasts)
    if total > ROWS_DRAWN:
        planned = contrasts["predictor"] == PRIMARY["predictor"]
        ordered = (contrasts[planned] if planned.any() else contrasts).sort_values("difference", ascending=False)
        ends = pd.concat([ordered.head(ROWS_DRAWN // 2), ordered.tail(ROWS_DRAWN // 3)])
        contrasts = ordered[ordered.index.isin(ends.index) | (ordered["kind"] == "primary")]
    left_out = f" The best and the worst of {total} are drawn; all are in the table." * (total > len(contrasts))
    names = [_contrast_name(row) for row in contrasts.itertuples()]
    return Picture(
        f"selection_contrasts_{screen}",
        forest_figure(contrasts, names, "avoidable squared error saved, %"),
        f"Ways of choosing against random choice on screen {screen}",
        "Squared error (mean height of its curve) saved against random choice, as a percentage of what random leaves "
        "to be gained down to the ceiling that the measurement's noise sets, with its interval over "
        f"splits; selector (graph), predictor. Coloured where the interval leaves out zero: blue for better than "
        f"random, orange for worse.{left_out}",
        f"{span(contrasts['splits'], 'split')}.",
        "Only the primary rows were planned; of the others, one in twenty leaves out zero by chance.",
    )


def _undefined_table(missing: pd.DataFrame) -> list[Table]:
    if missing.empty:
        return []
    frame = missing[["screen", "metric", "reason"]].drop_duplicates().reset_index(drop=True)
    note = "Not defined for this kind of screen, hence not computed."
    return [Table("selection_not_defined", frame, "Metrics that a screen cannot carry", note)]
