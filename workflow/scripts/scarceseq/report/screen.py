"""Screens: how many perturbations and cells, how strong and reproducible the effects are, which genes respond."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scarceseq.files import read_table
from scarceseq.report import style
from scarceseq.report.blocks import Block, Picture, Section, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.joins import joins_blocks
from scarceseq.report.value_text import text_of
from scarceseq.seals import checked

STRONGEST, GENES_EACH = 15, 5


def effect_table(path: str | Path, screen: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Strength and reliability of each perturbation of one screen, and its summary.

    The file at `path` is ``pseudobulk.h5ad``: X = effect (difference to control), perturbations x genes or coordinates.
    Returns a table (screen, perturbation, strength (root mean square of the effect), and what obs holds: cells,
    reliability) and a dict (screen, kind, perturbations, features, transductive).
    """
    import anndata

    data = anndata.read_h5ad(checked(path))
    effect = np.asarray(data.X.todense() if hasattr(data.X, "todense") else data.X, dtype=float)
    table = data.obs.reset_index(names="perturbation")
    table["perturbation"] = table["perturbation"].astype(str)
    table.insert(0, "screen", screen)
    table.insert(2, "strength", np.sqrt((effect**2).mean(axis=1)))
    summary = {
        "screen": screen,
        "kind": str(data.uns.get("kind", "cells")),
        "perturbations": len(table),
        "features": effect.shape[1],
        "transductive": bool(data.uns.get("transductive", False)),
    }
    if "cells" in table:
        summary |= {"cells": int(table["cells"].sum()), "median_cells_each": float(table["cells"].median())}
    if "reliability" in table:
        summary["median_reliability"] = float(table["reliability"].median())
    return table, summary


@style.styled
def strength_figure(effects: pd.DataFrame) -> Figure:
    """Strength of each effect against its reliability, or the strengths in order; one panel per screen."""
    screens = list(dict.fromkeys(effects["screen"]))
    drawn, axes = style.figure(max(4.8, 3.9 * len(screens)), 3.3, columns=len(screens))
    for ax, screen in zip(axes[0], screens, strict=True):
        rows = effects[effects["screen"] == screen].sort_values("strength", kind="stable")
        texts = [f"{row.perturbation}: strength {text_of(row.strength)}" for row in rows.itertuples()]
        if "reliability" in rows and rows["reliability"].notna().any():
            points = ax.scatter(rows["strength"], rows["reliability"], s=14, color=style.BLUE, lw=0, alpha=0.75)
            texts = [f"{text}, reliability {text_of(r)}" for text, r in zip(texts, rows["reliability"], strict=True)]
            ax.axhline(0, color=style.BLACK, lw=0.8, ls=":")
            ax.set(ylabel="reliability (split-half correlation)")
        else:
            points = ax.scatter(rows["strength"], np.linspace(0, 1, len(rows)), s=10, color=style.BLUE, lw=0)
            ax.set(ylabel="share of perturbations below")
        style.tell(points, f"{len(rows):,} perturbations of {screen}", texts)
        ax.set(xlabel="effect strength (root mean square)", title=screen)
    return drawn


def response_table(genes: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Top responding genes of the strongest perturbations, in words.

    `genes`: screen, perturbation, gene, log2_fold_change, adjusted_p_value, rank; `effects` is from `effect_table`.
    """
    rows = []
    for screen, strengths in effects[effects["screen"].isin(genes["screen"])].groupby("screen", sort=True):
        for row in strengths.nlargest(STRONGEST, "strength").itertuples():
            changed = genes[(genes["screen"] == screen) & (genes["perturbation"] == row.perturbation)]
            top = changed.nsmallest(GENES_EACH, "rank")
            text = ", ".join(f"{gene.gene} ({gene.log2_fold_change:+.2f})" for gene in top.itertuples())
            significant = int((top["adjusted_p_value"] < 0.05).sum())
            rows.append((screen, row.perturbation, row.strength, text.replace("-", "−"), significant))
    columns = ["screen", "perturbation", "strength", "top genes (log2 fold change)", "adjusted p < 0.05"]
    return pd.DataFrame(rows, columns=columns)


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if no screen was prepared."""
    if not inputs.has("screen_pseudobulk"):
        return None
    screens = inputs.labelled("screen_pseudobulk")
    tables, summaries = zip(*(effect_table(path, labels["screen"]) for labels, path in screens), strict=True)
    effects, summary = pd.concat(tables, ignore_index=True), pd.DataFrame(summaries)
    note = (
        "Features are genes, or coordinates where a screen comes as such. Transductive: its preparation saw the "
        "held-out perturbations."
    )
    blocks: list[Block] = [Table("screen_summary", summary, "Screens", note), *_cells_table(inputs)]
    blocks.append(_strength_picture(effects))
    listed = [read_table(path).assign(**labels) for labels, path in inputs.labelled("screen_genes")]
    listed = [table for table in listed if len(table)]
    if listed:
        genes = pd.concat(listed, ignore_index=True)
        note = (
            f"The {STRONGEST} strongest perturbations of each screen with their {GENES_EACH} top genes; p values are "
            "adjusted within a perturbation. Fold changes are differences of mean log1p expression."
        )
        blocks.append(Table("screen_genes", genes, "Genes that respond", note, shown=response_table(genes, effects)))
    blocks += [Table("screen_effects", effects, "All perturbations"), *joins_blocks(inputs, "screen")]
    return Section("screen", "Perturbation screen" + ("s" if len(summary) > 1 else ""), blocks)


def _cells_table(inputs: Inputs) -> list[Table]:
    """What was recognised in each file of cells, and which perturbations name none of its genes."""
    rows = [
        {
            "screen": labels["screen"],
            "values": counts["values"],
            "column": counts["perturbation_column"],
            "control": counts["control_label"],
            "perturbations": counts["perturbations"],
            "labels": counts["labels"],
            "no gene of the file": counts["perturbations_without_gene"],
            "such as": ", ".join(counts["without_gene"][:GENES_EACH]),
        }
        | ({"escaped cells left out": counts["cells_escaped"]} if "cells_escaped" in counts else {})
        | ({"doubles written A_B": doubles} if (doubles := counts.get("doubles_with_underscore", 0)) else {})
        for labels, counts in inputs.values("screen_cells")
    ]
    note = (
        "How each file was read. Perturbations that name no gene of the file stay; nobody can say whether their cells "
        "still express the target. Doubles written with an underscore (A_B) are read where both names are genes of the "
        "file or perturbations of the screen."
    )
    return [Table("screen_cells", pd.DataFrame(rows), "Cells and labels", note)] if rows else []


def _strength_picture(effects: pd.DataFrame) -> Picture:
    return Picture(
        "screen_strength",
        strength_figure(effects),
        "Strength and reliability of the effects",
        "Each point is a perturbation. Strength is the root mean square of its difference to control; reliability is "
        "the correlation of that difference between two halves of its cells.",
        "; ".join(f"{screen}: {len(rows):,} perturbations" for screen, rows in effects.groupby("screen", sort=True))
        + ".",
        "Strength grows with noise, so few cells look strong: read it beside reliability. Where reliability is low no "
        "predictor can score high.",
    )
