"""A list of genes to perturb: what it reaches, how that compares with random choice, and the plate."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scarceseq.design.design import knee
from scarceseq.report import style
from scarceseq.report.blocks import Paragraph, Picture, Section, Table
from scarceseq.report.wording import count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from scarceseq.report.inputs import Inputs


@style.styled
def curve_figure(curve: "pd.DataFrame", summary: Mapping[str, Any]) -> "Figure":
    """Share of the reachable worth against what is spent: the choice, random choices, the budget, the knee.

    Parameters
    ----------
    curve : pandas.DataFrame
        genes, cost, coverage_percent, random_low, random_median, random_high.
    summary : dict
        From `scarceseq.design.design.design`.
    """
    drawn, axes = style.figure(8.0, 3.6)
    draw_curve(axes[0, 0], curve, summary)
    return drawn


def draw_curve(ax: "Axes", curve: "pd.DataFrame", summary: Mapping[str, Any]) -> None:
    """The curve of `curve_figure` on given axes."""
    cost = curve["cost"]
    band = ax.fill_between(cost, curve["random_low"], curve["random_high"], color=style.GREY, alpha=0.25, lw=0)
    style.tell(band, "random choice, 95% of its draws")
    median = ax.plot(cost, curve["random_median"], color=style.GREY, label="random choice, with 95% of its draws")
    style.tell(median, "random choice, median of its draws")
    style.tell(ax.plot(cost, curve["coverage_percent"], color=style.BLUE, lw=2.2, label="this list"), "this list")
    bend = curve.iloc[knee(curve)]
    look = {"marker": "o", "ms": 8, "mfc": "none", "mec": style.ORANGE, "mew": 2, "ls": ""}
    circle = ax.plot([bend["cost"]], [bend["coverage_percent"]], **look)
    style.tell(circle, f"knee: {bend['genes']:,.0f} genes reach {bend['coverage_percent']:.1f}%")
    ax.annotate(
        f"knee: {bend['genes']:,.0f} genes",
        (bend["cost"], bend["coverage_percent"]),
        xytext=(-8, 8),
        textcoords="offset points",
        ha="right",
        color=style.ORANGE,
    )
    budget = ax.axvline(summary["budget"], color=style.BLACK, lw=0.9, ls=(0, (4, 3)), label="budget")
    style.tell(budget, f"budget: {summary['budget']:g}")
    ax.set_xlabel("cost" if summary["costs"] else "genes perturbed")
    ax.set_ylabel("reached (% of what all\ncandidates would reach)")
    ax.set_xlim(0, max(float(cost.max()), summary["budget"]) * 1.02)
    ax.set_ylim(0, 104)
    ax.grid(True)
    ax.legend(loc="best")


def sentence(summary: Mapping[str, Any]) -> str:
    """What was chosen and how it compares with chance, in plain words."""
    low, median, high = summary["random"]
    money = f" for {summary['spent']:g}" if summary["costs"] else ""
    text = (
        f"{count(summary['chosen'], 'gene')}{money} of {count(summary['candidates'], 'candidate')} reach "
        f"{summary['coverage']:.1f}% of what all candidates would reach; as many chosen at random reach {median:.1f}% "
        f"(95% of {summary['random_draws']} draws: {low:.1f}% to {high:.1f}%)."
    )
    if summary["costs"]:
        text = text.replace("as many chosen at random", "random choices of the same cost")
    if summary["chosen"] < summary["budget"] and not summary["costs"]:
        text += f" The budget of {summary['budget']:g} is more than there are candidates: all are in the list."
    return text


def asked_for(settings: Mapping[str, Any]) -> str:
    """What the config section `design` asked for, in plain words."""
    money = "a cost" if settings["costs"] else "a budget"
    return (
        f"Genes to perturb next were chosen on the graph {settings['graph']}, within {money} of {settings['budget']:g}."
    )


def section(inputs: "Inputs") -> Section | None:
    """Section of the page, or None if no screen was designed."""
    if not inputs.has("design_order"):
        return None
    order, plates, curve, names = (inputs.table(f"design_{name}") for name in ("order", "plates", "curve", "names"))
    ((_, summary),) = inputs.values("design_summary")
    blocks = [Paragraph(sentence(summary), "finding"), Paragraph(about(summary))]
    if summary["unknown"]:
        lost = names[~names["outcome"].isin(["used", "duplicate"])]
        shown = ", ".join(lost["given"].astype(str).head(20)) + (", ..." if len(lost) > 20 else "")
        text = f"{count(len(lost), 'name')} could not be used ({shown}): not in the graph under any known name."
        blocks.append(Paragraph(text, "warning"))
    blocks.append(_picture(curve, summary))
    note = (
        "In the order in which to take them. Gain: worth newly reached. Newly reached: number of genes with any worth "
        "that no gene before reaches, the most valuable of them by name. Plate and well are those of the first "
        "replicate."
    )
    blocks.append(Table("order", order, "The list", note, shown=_shown(order, summary)))
    note = "Every well of the plates, row by row: genes, controls, and those that stay empty."
    blocks.append(Table("plates", plates, "Plates", note, shown=_grid(plates)))
    if len(names):
        blocks.append(Table("names", names, "What became of each given name", folded=True))
    joins = inputs.table("design_joins")
    if len(joins):
        note = "What was matched by name, what was not, and what is nearly the same."
        blocks.append(Table("joins", joins, "Names that were matched", note, folded=True))
    last = plates["plate"].max() if len(plates) else 0
    facts = [
        (f"{summary['chosen']:,}", "genes to perturb"),
        (f"{summary['coverage']:.0f}%", f"of the reachable is reached, {summary['random'][1]:.0f}% by chance"),
        (f"{summary['knee_genes']:,}", "genes at the knee of the curve"),
        (f"{last:,}", f"plate{'' if last == 1 else 's'}, {count(summary['replicates'], 'well')} a gene"),
    ]
    return Section("design", "Genes to perturb", blocks, facts, [sentence(summary)])


def about(summary: Mapping[str, Any]) -> str:
    """What the choice was made on, in plain words."""
    parts = [f"Chosen on the graph {summary['graph']} ({summary['graph_genes']:,} genes)"]
    if summary["measured"]:
        before = f"{summary['coverage_before']:.1f}% is reached by them already"
        parts.append(f"{count(summary['measured'], 'measured gene')} given: {before}")
    if summary["required"] or summary["excluded"]:
        parts.append(f"{summary['required']:,} had to be in, {summary['excluded']:,} had to be out")
    if summary["duplicates"]:
        parts.append(f"{count(summary['duplicates'], 'name')} repeated another")
    if summary["replicates"] > 1:
        parts.append(f"Each gene has {summary['replicates']} wells")
    if summary["costs"]:
        parts.append(f"greedy {summary['rule']} covered most for the money")
    parts.append(f"The knee of the curve is at {summary['knee_genes']:,} genes ({summary['knee_coverage']:.0f}%)")
    return ". ".join(parts) + "."


def _shown(order: "pd.DataFrame", summary: Mapping[str, Any]) -> "pd.DataFrame":
    """Columns that say something in this list."""
    hidden = [] if summary["costs"] else ["cost", "total_cost"]
    hidden += ["given_as"] if (order["given_as"] == order["gene"]).all() else []
    return order.drop(columns=hidden)


def _grid(plates: "pd.DataFrame") -> "pd.DataFrame":
    """The plates as they look from above: a row of the table per row of wells."""
    text = plates["gene"].fillna("").astype(str).where(plates["content"] == "gene", plates["content"])
    wide = plates.assign(text=text.replace("empty", "")).pivot(index=["plate", "row"], columns="column", values="text")
    return wide.rename(columns=str).reset_index()


def _picture(curve: "pd.DataFrame", summary: Mapping[str, Any]) -> Picture:
    return Picture(
        "coverage",
        curve_figure(curve, summary),
        "What the list reaches, against its size",
        "Blue: share of the worth that all candidates and measured genes together would reach in the graph. Grey: the "
        "same for random choices, with the band that holds 95% of them. Dashed: the budget. Circle: the knee, where "
        "the curve is farthest above the straight line between its ends.",
        f"{count(summary['candidates'], 'candidate')}; {summary['random_draws']} random choices.",
        "Coverage is a property of the graph. Whether a model trained on such a choice predicts better than one "
        "trained on a random choice depends on the screen and on the graph.",
    )
