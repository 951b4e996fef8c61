"""Few-shot learning: methods side by side, the contrasts planned beforehand, and the cells that were not run."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from scarceseq.fewshot.verdict import verdict
from scarceseq.report import fewshot_contrasts, fewshot_figures, glossary, style
from scarceseq.report.blocks import Block, Paragraph, Picture, Section, Table
from scarceseq.report.fewshot_contrasts import DRAWN, ROWS_DRAWN
from scarceseq.report.fewshot_tables import missing_table, tuning_table
from scarceseq.report.forest import draw_estimate
from scarceseq.report.glossary import plain_method
from scarceseq.report.inputs import Inputs
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import span, words

COLOURS = {"guided": style.BLUE, "compared": style.ORANGE, None: style.GREY}


def families(contrasts: pd.DataFrame) -> dict[str, str]:
    """Methods of the planned comparison: 'guided' on the left side of a primary contrast, 'compared' on the right.

    `contrasts`: method, against, kind ('primary' | 'secondary').
    """
    primary = contrasts[contrasts["kind"] == "primary"]
    return {**dict.fromkeys(primary["against"], "compared"), **dict.fromkeys(primary["method"], "guided")}


@style.styled
def comparison_figure(summary: pd.DataFrame, family: dict[str, str]) -> style.Figure:
    """Mean and interval per method, one panel per task, way and shot.

    `summary`: rows of one base and one metric that were run (task, way, shot, method, mean, low, high); `family` is
    from `families`.
    """
    tasks = list(dict.fromkeys(summary["task"]))
    settings, methods = {}, {}
    for task, rows in summary.groupby("task"):
        settings[task] = sorted({(str(row.way), row.shot) for row in rows.itertuples()})
        methods[task] = rows.groupby("method")["mean"].mean().sort_values().index.tolist()
    columns = max(len(pairs) for pairs in settings.values())
    heights = [0.8 + 0.21 * len(methods[task]) for task in tasks]
    look: dict = {"sharey": "row", "sharex": True, "height_ratios": heights}
    drawn, axes = style.figure(2.0 + 3.1 * columns, 0.7 + sum(heights), len(tasks), columns, **look)
    for row, task in zip(axes, tasks, strict=True):
        for ax, pair in zip(row, settings[task], strict=False):
            rows = summary[(summary["task"] == task) & (summary["way"].astype(str) == pair[0])]
            rows = rows[rows["shot"] == pair[1]].set_index("method")
            _panel(ax, rows, methods[task], family, chance=None if pair[0] == "all" else 1 / int(pair[0]))
            ax.set_title(f"{words(task)}: {pair[0]} classes, {pair[1]} per class")
        for ax in row[len(settings[task]) :]:
            ax.set_visible(False)
        row[0].set_yticks(range(len(methods[task])), [plain_method(method) for method in methods[task]])
        glossary.explain(row[0], methods[task])
    for upper, lower in zip(axes[:-1].flat, axes[1:].flat, strict=True):
        upper.tick_params(labelbottom=not lower.get_visible())
        upper.set_xlabel("" if lower.get_visible() else upper.get_xlabel())
    # an interval may reach past the worst and the best there is
    left, right = axes[0, 0].get_xlim()
    axes[0, 0].set_xlim(max(left, -0.02), min(right, 1.02))
    return drawn


def _panel(ax: Axes, rows: pd.DataFrame, methods: list[str], family: dict[str, str], chance: float | None) -> None:
    label = words(rows["metric"].iloc[0]) if len(rows) else "balanced accuracy"
    if chance is not None:  # with all classes it differs from episode to episode
        style.tell(ax.axvline(chance, color=style.BLACK, lw=0.8, ls=":"), f"chance: {text_of(chance)}")
    for place, method in enumerate(methods):
        if method not in rows.index or pd.isna(rows.at[method, "mean"]):
            continue
        values = [float(rows.at[method, key]) for key in ("mean", "low", "high")]
        marker = {"guided": "D", "compared": "s"}.get(family.get(method, ""), "o")
        name, colour = f"{plain_method(method)}, {label}", COLOURS[family.get(method)]
        draw_estimate(ax, place, values, name, colour, marker, size=5, lw=2, alpha=0.55)
    ax.set_ylim(-0.6, len(methods) - 0.4)
    ax.grid(True, axis="x")
    ax.set_xlabel(label)


def first_methods(order: list[str], family: dict[str, str]) -> list[str]:
    """The planned methods and the best of the others, as many as a figure holds; `order` is best first."""
    others = [method for method in order if method not in family]
    kept = {*family, *others[: max(ROWS_DRAWN - len(family), 4)]}
    return [method for method in order if method in kept or len(order) <= ROWS_DRAWN]


def pivot(summary: pd.DataFrame) -> pd.DataFrame:
    """Means and intervals for reading: one row per method, one column per task, way and shot."""
    rows = summary[summary["status"] == "run"].copy()
    rows["cell"] = [f"{words(r.task)}, {r.way} classes × {r.shot}" for r in rows.itertuples()]
    rows["text"] = [
        f"{r.mean:.3f}" + (f"\u00a0[{r.low:.3f},\u00a0{r.high:.3f}]" if np.isfinite(r.low) else "")
        for r in rows.itertuples()
    ]
    order = list(dict.fromkeys(rows["cell"]))
    methods = rows.groupby("method")["mean"].mean().sort_values(ascending=False).index
    wide = rows.pivot(index="method", columns="cell", values="text").loc[methods, order]
    return wide.reset_index()


def section(inputs: Inputs, settings: dict) -> Section | None:
    """Section of the page, or None if no few-shot stage ran."""
    if not inputs.has("fewshot_summary"):
        return None
    summary = inputs.table("fewshot_summary")
    contrasts = inputs.stacked("fewshot_contrasts")
    ran, missing = summary[summary["status"] == "run"], summary[summary["status"] != "run"]
    ranks, curves = (inputs.table(f"fewshot_{name}") for name in ("ranks", "curves"))
    tuned = inputs.table("fewshot_tuning")
    scoring = settings["fewshot"]["scoring"]
    blocks: list[Block] = []
    family: dict[str, str] = {}
    if len(contrasts):
        text = verdict(contrasts, ranks, scoring["smallest_difference"], scoring["confidence"], tuned)
        blocks.append(Paragraph(text, "finding"))
        family = families(contrasts)
    for (base, metric), rows in ran.groupby(["base", "metric"], sort=True):
        blocks += _comparison_blocks(base, metric, rows, family)
    blocks += _rank_blocks(ranks, family) + _learning_blocks(ran) + _curve_blocks(curves)
    if len(contrasts):
        blocks += fewshot_contrasts.contrast_blocks(contrasts, scoring["smallest_difference"])
    if len(missing):
        blocks.append(missing_table(missing))
    blocks += [tuning_table(tuned), Table("fewshot_summary", summary, "All means and intervals")]
    return Section("fewshot", "Few-shot learning", blocks)


def _rank_blocks(ranks: pd.DataFrame, family: dict[str, str]) -> list[Picture | Table]:
    """A ranking figure of the cell with most methods; all ranks in a table."""
    if ranks.empty:
        return []
    cells = [cell for _, cell in ranks.groupby(["base", "task", "way", "shot"], sort=True)]
    chosen = max(cells, key=lambda cell: (len(cell), cell["studies"].iloc[0]))
    one = chosen.iloc[0]
    place = f"{words(one['task'])}, {one['way']} classes × {one['shot']} (base {one['base']})"
    order = chosen.sort_values("mean_rank", kind="stable")["method"].tolist()
    few = chosen[chosen["method"].isin(first_methods(order, family))]
    picture = Picture(
        "fewshot_ranks",
        fewshot_figures.rank_figure(few, family, COLOURS),
        f"Methods by mean rank: {place}",
        "Mean rank over the query studies, each study's episodes averaged first. Blue: guided; orange: what guided is "
        "compared with by plan; grey: the rest. The grey band is the critical difference (Nemenyi): methods inside it "
        "cannot be told from the best.",
        f"{one['studies']} studies, {one['methods']} methods; Friedman test that all are alike: p = "
        f"{one['friedman_p']:.2g}.",
        "The critical difference grows with the number of methods that are ranked; the planned contrasts do not.",
    )
    more = []
    if len(few) < len(chosen):
        drawn, title = fewshot_figures.rank_figure(chosen, family, COLOURS), f"All {len(chosen)} methods by mean rank"
        more = [replace(picture, name="fewshot_ranks_all", figure=drawn, title=title, folded=True)]
    return [picture, *more, Table("fewshot_ranks_table", ranks, "Mean ranks in all cells")]


def _learning_blocks(ran: pd.DataFrame) -> list[Picture]:
    """Learning curves of the tasks with more than one number of samples."""
    rows = ran[ran["metric"] == DRAWN[0]]
    rows = rows[rows.groupby(["base", "task", "way"])["shot"].transform("nunique") > 1]
    return [
        Picture(
            f"fewshot_learning_{base}",
            fewshot_figures.learning_figure(group),
            f"More samples per class (base {base})",
            "Mean balanced accuracy of the planned methods against the labelled samples per class.",
            f"{span(group['studies'], 'study', 'studies')}, {span(group['episodes'], 'episode')} per point.",
            f"Not every study has {group['shot'].max():,} samples per class to learn from: from left to right the "
            "studies may change too.",
        )
        for base, group in rows.groupby("base", sort=True)
    ]


def _curve_blocks(curves: pd.DataFrame) -> list[Picture]:
    """Curves of over-fitting."""
    rows = curves[curves["method"].isin(fewshot_figures.FOLLOWED)]
    return [
        Picture(
            f"fewshot_curves_{base}",
            fewshot_figures.curve_figure(group),
            f"Over-fitting as fine-tuning goes on (base {base})",
            "Log loss on the query after each number of steps, at the learning rate chosen on the validation studies. "
            "What is said to be delayed by a guide is the rise at the right.",
            f"{span(group['episodes'], 'episode')} per point and seed.",
            "Nothing is chosen by these curves: what is reported is after the steps that the validation studies asked "
            "for. A slower learning rate moves a curve to the right as a guide does; the mean rates are there to tell "
            "the two apart.",
        )
        for base, group in rows.groupby("base", sort=True)
    ]


def _comparison_blocks(base: str, metric: str, rows: pd.DataFrame, family: dict[str, str]) -> list:
    name = f"fewshot_{metric}_{base}"
    title = f"{words(metric).capitalize()} by method (base {base})"
    kinds = "; ".join(sorted(set(rows["interval"].dropna().astype(str))))
    how = f" ({kinds})" if kinds else ""
    cells = rows.groupby(["task", "way", "shot"])
    counts = "; ".join(
        f"{words(task)} {way}×{shot}: {cell['studies'].max():,.0f} studies, {cell['episodes'].max():,.0f} episodes"
        for (task, way, shot), cell in cells
    )
    blocks: list[Block] = []
    if metric in DRAWN:
        order = rows.groupby("method")["mean"].mean().sort_values(ascending=False, kind="stable").index.tolist()
        few = rows[rows["method"].isin(first_methods(order, family))]
        picture = Picture(
            name,
            comparison_figure(few, family),
            title,
            f"Each mark is a method's mean, the line its interval{how}. Diamonds: guided methods; squares: what they "
            "are compared with by plan; circles: the rest. The dotted line is chance. An interval from few studies may "
            "reach past 0 or 1, where the axis ends.",
            counts + ".",
            "Intervals of two methods may overlap although one is better in every study: judge by the contrasts below, "
            "which pair them. Few studies make wide intervals, and more episodes do not make them narrower.",
        )
        blocks.append(picture)
        if len(few) < len(rows):
            drawn, all_of_them = comparison_figure(rows, family), f"All {len(order)} methods: {title.lower()}"
            blocks.append(replace(picture, name=f"{name}_all", figure=drawn, title=all_of_them, folded=True))
    note = "Mean with its interval; columns are tasks, classes × labelled samples per class."
    blocks.append(Table(f"{name}_table", rows, title, note, shown=pivot(rows)))
    return blocks
