"""A list of genes to perturb: what it reaches, how that compares with random choice, and the plate."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scarceseq.design.curves import knee
from scarceseq.design.evidence import LEAST_SCREENS, read_evidence, read_hits_evidence
from scarceseq.report import hits, style
from scarceseq.report.blocks import Block, Paragraph, Picture, Section, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.joins import NOTE
from scarceseq.report.wording import count

CRITERIA = {
    "v_optimal": "the expected error of predicting the rest (V-optimal)",
    "reach": "what they newly reach",
    "blend": "a blend of expected error and reach",
    "random": "chance",
}


@style.styled
def curve_figure(curve: pd.DataFrame, summary: Mapping[str, Any]) -> Figure:
    """Expected error and coverage against what is spent: the list, random choices, the budget, the knee.

    `curve` is from `scarceseq.design.curves.curve_table`, `summary` from `scarceseq.design.design.design`.
    """
    drawn, [[left, right]] = style.figure(10.0, 3.6, columns=2)
    draw_error(left, curve, summary)
    draw_curve(right, curve, summary)
    return drawn


def _draw_lines(ax: Axes, curve: pd.DataFrame, summary: Mapping[str, Any], name: str) -> None:
    """A measure of the list, that of random lists with its band, and the budget."""
    cost = curve["cost"]
    low, high = curve[f"{name}_random_low"], curve[f"{name}_random_high"]
    band = ax.fill_between(cost, low, high, color=style.GREY, alpha=0.25, lw=0)
    style.tell(band, "random choice, 95% of its draws")
    middle = curve[f"{name}_random_median"]
    median = ax.plot(cost, middle, color=style.GREY, label="random choice, with 95% of its draws")
    style.tell(median, "random choice, median of its draws")
    style.tell(ax.plot(cost, curve[name], color=style.BLUE, lw=2.2, label="this list"), "this list")
    budget = ax.axvline(summary["budget"], color=style.BLACK, lw=0.9, ls=(0, (4, 3)), label="budget")
    style.tell(budget, f"budget: {summary['budget']:g}")
    ax.set_xlabel("cost" if summary["costs"] else "genes perturbed")
    ax.set_xlim(0, max(float(cost.max()), summary["budget"]) * 1.02)
    ax.grid(True)
    ax.legend(loc="best")


def draw_error(ax: Axes, curve: pd.DataFrame, summary: Mapping[str, Any]) -> None:
    """The expected error of the rest on given axes."""
    _draw_lines(ax, curve, summary, "expected_error")
    ax.set_ylabel("expected error of the rest\n(% of that of the mean effect)")
    seen = curve.filter(like="expected_error").iloc[1:].dropna().to_numpy()  # no error where nothing is left
    top = max(float(seen[min(5, len(seen) - 1) :].max(initial=0)), 100.0) if len(seen) else 200.0
    ax.set_ylim(max(float(seen.min(initial=100)) - 10, 0) if len(seen) else 0, top + 5)


def draw_curve(ax: Axes, curve: pd.DataFrame, summary: Mapping[str, Any]) -> None:
    """The coverage of the graph on given axes, with its knee."""
    _draw_lines(ax, curve, summary, "coverage_percent")
    bend = curve.iloc[knee(curve)]
    look: dict[str, Any] = {"marker": "o", "ms": 8, "mfc": "none", "mec": style.ORANGE, "mew": 2, "ls": ""}
    circle = ax.plot([bend["cost"]], [bend["coverage_percent"]], **look)
    style.tell(circle, f"knee: {bend['genes']:,.0f} genes reach {bend['coverage_percent']:.1f}%")
    look = {"xytext": (-8, 8), "textcoords": "offset points", "ha": "right", "color": style.ORANGE}
    ax.annotate(f"knee: {bend['genes']:,.0f} genes", (bend["cost"], bend["coverage_percent"]), **look)
    ax.set(ylabel="reached (% of what all\ncandidates would reach)", ylim=(0, 104))


def sentence(summary: Mapping[str, Any]) -> str:
    """What was chosen and how it compares with chance, in plain words."""
    if summary["hits"]:
        return hits.sentence(summary)
    money = f" for {summary['spent']:g}" if summary["costs"] else ""
    text = f"{count(summary['chosen'], 'gene')}{money} of {count(summary['candidates'], 'candidate')}"
    as_many = "random choices of the same cost" if summary["costs"] else "as many chosen at random"
    if summary["error"] is None:
        text += " are the list; no gene is left to predict."
    else:
        low, median, high = summary["error_random"]
        text += (
            f" are expected to leave {summary['error']:.1f}% of the mean effect's error in predicting the rest; "
            f"{as_many} {median:.1f}% (95% of {summary['random_draws']} draws: {low:.1f}% to {high:.1f}%)."
        )
    low, median, high = summary["random"]
    text += (
        f" They reach {summary['coverage']:.1f}% of what all candidates would reach in the graph, {as_many} "
        f"{median:.1f}% ({low:.1f}% to {high:.1f}%)."
    )
    if summary["chosen"] < summary["budget"] and not summary["costs"]:
        text += f" The budget of {summary['budget']:g} is more than there are candidates: all are in the list."
    return text


def worth(summary: Mapping[str, Any], evidence: pd.DataFrame) -> str:
    """How many random genes the list replaces, if real screens say how far such figures can be believed.

    `evidence` is from `scarceseq.design.evidence.read_evidence`: screen, graphs, predicted, realised, low, high.
    """
    if summary["hits"]:
        return hits.worth(summary, read_hits_evidence())
    if summary["criterion"] == "random" or summary["costs"] or summary["error"] is None:
        return ""
    unknown = "How many random genes this list is worth is not known here:"
    if summary["criterion"] != "v_optimal" or len(evidence) < LEAST_SCREENS:
        return f"{unknown} no real screens stand behind this criterion."
    tried = {name for names in evidence["graphs"] for name in names.split(", ")}
    others = [name for name in summary["graph"].split(", ") if name not in tried]
    if others:
        behind = f"{', '.join(sorted(tried))}, none behind {', '.join(others)}"
        return f"{unknown} real screens stand behind choices on {behind}."
    genes = summary["equivalent_random"]
    size = f"more than {summary['curve_genes']:,}" if genes is None else f"about {genes:,}"
    ratios = ", ".join(
        f"{row.screen} {row.realised:.1f} of {row.predicted:.1f} points ({row.low:+.1f} to {row.high:+.1f})"
        for row in evidence.itertuples()
    )
    return (
        f"By its own model the list is worth {size} random genes. On real screens, chosen on GO and STRING, such lists "
        "saved against random choice so many points of the mean effect's error, of those that the model promised (95% "
        f"interval): {ratios}. In the neurons of Tian 2021, of which these graphs tell next to nothing, the same "
        "choice was no better than random. What is saved is partly that strong perturbations are measured and need no "
        "longer be predicted."
    )


def asked_for(settings: Mapping[str, Any]) -> str:
    """What the config section `design` asked for, in plain words."""
    money = "a cost" if settings["costs"] else "a budget"
    names = [settings["graph"]] if isinstance(settings["graph"], str) else settings["graph"]
    graphs = ", ".join([*names, *settings["embeddings"]])
    how = _chosen_by(settings)
    return f"Genes to perturb next were chosen on {graphs} by {how}, within {money} of {settings['budget']:g}."


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if no screen was designed."""
    if not inputs.has("design_order"):
        return None
    order, plates, curve, names = (inputs.table(f"design_{name}") for name in ("order", "plates", "curve", "names"))
    ((_, summary),) = inputs.values("design_summary")
    blocks: list[Block] = [Paragraph(sentence(summary), "finding"), Paragraph(about(summary))]
    blocks += [Paragraph(text) for text in (worth(summary, read_evidence()), plates_needed(summary)) if text]
    if summary["outside"]:
        kept = ", ".join(names.loc[names["outcome"] == "outside", "gene"].astype(str))
        text = f"Kept since they must be in, though no graph has them: {kept}. Nothing is known of what they are like."
        blocks.append(Paragraph(text, "warning"))
    if summary["unknown"]:
        lost = names[~names["outcome"].isin(["used", "outside", "duplicate"])]
        near = lost["suggestion"].fillna("").map(lambda gene: f" (did you mean {gene}?)" if gene else "")
        shown = ", ".join((lost["given"].astype(str) + near).head(20)) + (", ..." if len(lost) > 20 else "")
        text = f"{count(len(lost), 'name')} could not be used ({shown}): not in the graph under any known name."
        blocks.append(Paragraph(text, "warning"))
    blocks.append(hits.picture(order, summary) if summary["hits"] else _picture(curve, summary))
    note = (
        "In the order in which to take them. Gain: by the criterion. Expected error: of predicting the rest, % of that "
        "of the mean effect. Expected response and its deviation: where hits are wanted. Newly reached: number of "
        "genes with any worth that no gene before reaches, the most valuable of them by name. Plate and well are those "
        "of the first replicate."
    )
    blocks.append(Table("order", order, "The list", note, shown=_shown(order, summary), folded=False))
    note = "Every well of the plates, row by row: genes, controls, and those that stay empty."
    blocks.append(Table("plates", plates, "Plates", note, shown=_grid(plates), folded=False))
    guides = inputs.table("design_guides")
    if len(guides):
        blocks.append(Table("guides", guides, "Guides", "Rows of the library for the genes of the list."))
    if len(names):
        blocks.append(Table("names", names, "What became of each given name"))
    joins = inputs.table("design_joins")
    if len(joins):
        blocks.append(Table("joins", joins, "Names that were matched", NOTE))
    return Section("design", "Genes to perturb", blocks)


def plates_needed(summary: Mapping[str, Any]) -> str:
    """Plates, and how many genes would fill them, in plain words."""
    room = summary["wells_for_genes"]
    text = f"{count(summary['chosen'], 'gene')} take {count(summary['plates'], 'plate')}"
    if summary["replicates"] > 1:
        text += f" with {summary['replicates']} wells a gene, no two of them on one plate"
    if summary["chosen"] > room:
        return f"{text}; {room} genes fit one plate{' for each replicate' if summary['replicates'] > 1 else ''}."
    return f"{text}; {count(summary['free_wells'], 'well')} stay free."


def _chosen_by(facts: Mapping[str, Any]) -> str:
    """What genes were chosen for, by the settings or the summary of a design."""
    return hits.ACQUISITIONS[facts["acquisition"]] if facts["goal"] == "hits" else CRITERIA[facts["criterion"]]


def about(summary: Mapping[str, Any]) -> str:
    """What the choice was made on, in plain words."""
    texts = [f"Chosen on {summary['graph']} ({summary['graph_genes']:,} genes) by {_chosen_by(summary)}"]
    if summary["measured"]:
        before = "" if summary["hits"] else f": {summary['coverage_before']:.1f}% is reached by them already"
        texts.append(f"{count(summary['measured'], 'measured gene')} given{before}")
    limits = [(summary["required"], "had to be in"), (summary["excluded"], "had to be out")]
    if any(genes for genes, _ in limits):
        texts.append(", ".join(f"{genes:,} {what}" for genes, what in limits if genes))
    if summary["duplicates"]:
        texts.append(f"{count(summary['duplicates'], 'name')} repeated another")
    if summary["replicates"] > 1:
        texts.append(f"Each gene has {summary['replicates']} wells")
    if summary["costs"]:
        texts.append(f"Taking genes {summary['rule']} gave most for the money")
    if not summary["hits"]:
        at = f"{summary['knee_genes']:,} genes ({summary['knee_coverage']:.0f}%)"
        texts.append(f"The knee of the coverage is at {at}")
    return ". ".join(texts) + "."


def _shown(order: pd.DataFrame, summary: Mapping[str, Any]) -> pd.DataFrame:
    """Columns that say something in this list."""
    hidden = [] if summary["costs"] else ["cost", "total_cost"]
    hidden += ["given_as"] if (order["given_as"] == order["gene"]).all() else []
    return order.drop(columns=hidden)


def _grid(plates: pd.DataFrame) -> pd.DataFrame:
    """The plates as they look from above: a row of the table per row of wells."""
    text = plates["gene"].fillna("").astype(str).where(plates["content"] == "gene", plates["content"])
    wide = plates.assign(text=text.replace("empty", "")).pivot(index=["plate", "row"], columns="column", values="text")
    return wide.rename(columns=str).reset_index()


def _picture(curve: pd.DataFrame, summary: Mapping[str, Any]) -> Picture:
    return Picture(
        "coverage",
        curve_figure(curve, summary),
        "What the list is worth, against its size",
        "Left: expected squared error of predicting the candidates (or targets) that are not measured, by the "
        "posterior variance; 100% is the error of predicting the mean effect, were that known exactly. Right: share of "
        "the worth that all candidates and measured genes together would reach in the graph. Blue: this list. Grey: "
        "random choices, with the band that holds 95% of them. Dashed: the budget. Circle: the knee, where the curve "
        "is farthest above the straight line between its ends.",
        f"{count(summary['candidates'], 'candidate')}; {summary['random_draws']} random choices.",
        "Both are properties of the graphs: no screen was looked at. Whether a model trained on such a choice predicts "
        "better than one trained on a random choice depends on the screen and on the graphs.",
    )
