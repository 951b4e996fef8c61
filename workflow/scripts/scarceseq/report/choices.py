"""Selection, apart from its worth: what choices cover of the graph, how stable they are, and what they cost."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.blocks import Block, Paragraph, Picture, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import count, span, words

TYPICAL = 0.2  # share of the pool at which a table or figure of one budget is given
CHANGES = {"seed": "another seed", "pool": "pool without", "edges removed": "edges removed", "edges rewired": "rewired"}


def blocks(inputs: Inputs) -> list:
    """Blocks on stability, coverage and costs; empty if the run has none."""
    if not inputs.has("selection_stability", "selection_coverage", "selection_costs"):
        return []
    stability, coverage, costs = (inputs.stacked(f"selection_{name}") for name in ("stability", "coverage", "costs"))
    blocks: list[Block] = [Paragraph(text) for text in calendar(costs)]
    if len(stability):
        blocks += [_stability_picture(screen, rows) for screen, rows in stability.groupby("screen", sort=True)]
        blocks.append(Table("selection_stability", stability, "Stability of choices"))
    blocks.append(_coverage_table(coverage))
    note = (
        "Seconds: median of one ranking, the fits of the model between rounds included. Cycles: how often the "
        "laboratory is asked. Days: cycles times the config's days_per_cycle, if it is given."
    )
    shown = costs.groupby(["screen", "selector"], as_index=False)[["seconds", "cycles", "days", "model_fits"]].median()
    shown = shown if costs["days"].notna().any() else shown.drop(columns="days")
    blocks.append(Table("selection_costs", costs, "What choosing costs", note, shown=shown))
    return blocks


def calendar(costs: pd.DataFrame) -> list[str]:
    """Sentences on cycles of the laboratory and, if the config says how long one takes, on the calendar."""
    cycles = sorted(set(costs["cycles"]))
    if len(cycles) < 2:
        return []
    text = f"Choosing in one shot asks the laboratory once, choosing in rounds here {span(cycles[1:])} times"
    if costs["days"].notna().any():
        days = costs.groupby("cycles")["days"].first()
        text += f": {days.iloc[0]:,.0f} days against {days.iloc[-1]:,.0f}, by the days per cycle that the config gives"
    slowest = costs.loc[costs["seconds"].idxmax()]
    return [f"{text}. Computing a choice takes at most {slowest['seconds']:.2g} s ({words(slowest['selector'])})."]


def at_typical(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the budget that is nearest to `TYPICAL` of the pool, for each screen."""
    distance = (table["budget"] / table["pool"] - TYPICAL).abs()
    return table[distance == distance.groupby(table["screen"]).transform("min")]


@style.styled
def stability_figure(table: pd.DataFrame) -> Figure:
    """Jaccard similarity of choices under each change: one panel per graph, one colour per selector.

    `table`: selection_graph, selector, change, share, jaccard, random, of one budget.
    """
    graphs, selectors = sorted(set(table["selection_graph"])), list(dict.fromkeys(table["selector"]))
    drawn, axes = style.figure(1.6 + 3.6 * len(graphs), 3.6, columns=len(graphs), sharey=True)
    for ax, graph in zip(axes[0], graphs, strict=True):
        rows = table[table["selection_graph"] == graph]
        kinds = list(dict.fromkeys(zip(rows["change"], rows["share"], strict=True)))
        names = [CHANGES[kind] + (f" {100 * share:.0f}%" if share else "") for kind, share in kinds]
        for place, selector in enumerate(selectors):
            similarity = rows[rows["selector"] == selector].set_index(["change", "share"])["jaccard"]
            values = [similarity.get(kind, np.nan) for kind in kinds]
            at = np.arange(len(kinds)) + (place - (len(selectors) - 1) / 2) * 0.14
            colour, label = style.PALETTE[place % len(style.PALETTE)], words(selector)
            texts = [f"{label}, {kind}: {text_of(value)}" for kind, value in zip(names, values, strict=True)]
            style.tell(ax.plot(at, values, "o", color=colour, ms=5, label=label), label, texts)
        chance = rows["random"].mean()
        line = ax.axhline(chance, color=style.GREY, lw=1.2, ls="--", label="two random choices")
        style.tell(line, f"two random choices: {text_of(chance)}")
        ax.set_xticks(range(len(kinds)), names, rotation=35, ha="right")
        ax.set(ylim=(0, 1.04), title=f"{words(graph)} graph")
        ax.yaxis.grid(True)
    axes[0, 0].set_ylabel("Jaccard similarity of choices")
    drawn.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return drawn


def _stability_picture(screen: str, table: pd.DataFrame) -> Picture:
    chosen = at_typical(table)
    return Picture(
        f"selection_stability_{screen}",
        stability_figure(chosen),
        f"Stability of choices on screen {screen}",
        "How many genes two choices share (1: the same, dashed: what two random choices of that size share), after a "
        "change of the seed, without a tenth of the pool, and with edges of the graph removed or rewired.",
        f"{chosen['budget'].iloc[0]:.0f} genes chosen; {count(int(chosen['repeats'].iloc[0]), 'random change')} of "
        "each kind, all pairs compared; first split.",
        "A selector without random numbers is unchanged by another seed, which says nothing about it: the other "
        "changes do. A choice can be unstable and equally good.",
    )


def _coverage_table(coverage: pd.DataFrame) -> Table:
    chosen = at_typical(coverage)
    note = (
        "For the budget nearest to a fifth of the pool. Nodes and usage reached: shares of what the whole pool reaches "
        "on the predictors' graph, plain and weighted by how much the pool's predictions lean on a node. Test "
        "neighbours: how much of the neighbourhood of a held-out gene was chosen, by weight."
    )
    shown = chosen.sort_values(["screen", "test_neighbours"], ascending=[True, False])
    columns = ["screen", "selector", "selection_graph", "budget", "nodes_reached", "usage_reached", "test_neighbours"]
    return Table("selection_coverage", coverage, "What choices cover", note, shown=shown[columns])
