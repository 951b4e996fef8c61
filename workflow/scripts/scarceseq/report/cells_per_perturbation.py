"""How many cells a perturbation needs, and how many genes by how many cells a budget should buy."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.blocks import Block, Paragraph, Picture, Section, Table
from scarceseq.report.inputs import Inputs

GOOD = 0.8


@style.styled
def cells_figure(cells: pd.DataFrame, both: pd.DataFrame) -> Figure:
    """Power and reliability by cells, and the expected error by genes for one budget."""
    drawn, axes = style.figure(4.2 * (1 + bool(len(both))), 3.2, columns=1 + bool(len(both)))
    ax = axes[0, 0]
    lines = {
        "perturbation_power": "a perturbation is told from control",
        "median_power": "a changed gene is called",
        "reliability": "reliability of the mean profile",
    }
    for place, (column, label) in enumerate(lines.items()):
        if cells[column].notna().any():
            look = {"marker": style.MARKERS[place], "color": style.PALETTE[place], "ms": 5}
            style.tell(ax.plot(cells["cells"], cells[column], label=label, **look), label)
    ax.axhline(GOOD, color=style.GREY, lw=0.8, ls=(0, (4, 3)))
    style.logarithmic(ax)
    ax.set(ylim=(-0.02, 1.05), xlabel="cells of a perturbation")
    ax.legend(loc="lower right", fontsize=7.5)
    if len(both):
        ax = axes[0, 1]
        style.tell(ax.plot(both["genes"], both["expected_error"], marker="o", color=style.BLUE, ms=5), "expected error")
        best = both[both["best"]]
        ax.plot(best["genes"], best["expected_error"], marker="o", ms=12, mfc="none", mec=style.ORANGE, ls="none")
        style.logarithmic(ax)
        ax.set(xlabel="genes, for one budget", ylabel="expected error (%)")
    return drawn


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if no cells were planned."""
    if not inputs.has("design_cells"):
        return None
    cells, both = inputs.table("design_cells"), inputs.table("design_genes_by_cells")
    ((_, summary),) = inputs.values("design_cells_json")
    picture = Picture(
        "cells",
        cells_figure(cells, both),
        "What cells buy",
        "Left: power, and reliability (1 is a profile without noise). The dashed line is a power of 0.8. Right: the "
        "expected error in the effects of all candidates, in percent of that without a measurement, when the budget is "
        "spent on so many genes; the ring is the least.",
        f"{summary['readout_genes']:,} readout genes, worth {summary['independent_genes']:.0f} independent ones",
        "Formulas for means of independent cells: batches and guides that differ cost more than is shown. Genes are "
        "called by Welch's test; below 25 cells that test itself is not to be trusted. On real cells "
        "(docs/benchmark/planner.md) power from 25 cells on was up to 0.18 higher than foretold, never lower, and "
        "reliability, foretold from a third of each perturbation's cells, within 0.05.",
    )
    blocks: list[Block] = [Paragraph(sentence(cells, summary), "finding"), picture]
    blocks.append(Table("cells", cells, "Power and reliability"))
    if len(both):
        note = "Cells: of each gene. Expected error: percent of that without a measurement."
        blocks.append(Table("genes_by_cells", both, "Genes against cells, for the budget", note))
    return Section("cells", "How many cells", blocks)


def sentence(cells: pd.DataFrame, summary: Mapping[str, Any]) -> str:
    """What to order, in plain words."""
    if "best" in summary:
        best = summary["best"]
        return (
            f"For this budget, {best['genes']:.0f} genes by {best['cells']:.0f} cells each leave the least expected "
            f"error in the effects of all candidates: {best['expected_error']:.0f}% of that without a measurement."
        )
    enough = cells.loc[cells["perturbation_power"] >= GOOD, "cells"]
    if len(enough):
        return f"{int(enough.min())} cells tell a perturbation from control with a power of {GOOD:g}."
    return f"Even {int(cells['cells'].max())} cells do not tell a perturbation from control with a power of {GOOD:g}."
