"""A page for each gene of interest: what perturbing it would change, what it is like, and how far that can be told."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scarceseq.errors import InputError
from scarceseq.files import write_table
from scarceseq.report import style
from scarceseq.report.blocks import Paragraph, Picture, Section, Table
from scarceseq.report.page import Head, render
from scarceseq.report.prediction import sentence
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import count, words

LEAST_OF_A_STRATUM = 10
RANGE = 1.96


def page_name(gene: str) -> str:
    """File name of a gene's page, without suffix."""
    return "gene_" + re.sub(r"[^A-Za-z0-9_.-]", "_", gene)


def write_pages(
    folder: Path, screen: str, tables: Mapping[str, pd.DataFrame], summary: Mapping[str, Any], head: Head
) -> None:
    """Write the page of each gene of ``tables["pages"]`` and the tables that it shows.

    `tables` and `summary` are those of the prediction: pages (perturbation, measured, similarity, stratum), neighbours,
    changed, accuracy. Raises InputError if two genes would have one file.
    """
    names = tables["pages"]["perturbation"].map(page_name)
    twice = names[names.duplicated()]
    if len(twice):
        raise InputError(f"prediction.screens.{screen}.pages: two genes would have the page {twice.iloc[0]}; leave one")
    for row, name in zip(tables["pages"].to_dict("records"), names, strict=True):
        section = gene_section(row, screen, tables, summary)
        drawings = {}
        for block in section.blocks:
            if isinstance(block, Picture):
                drawings[block.name] = style.svg(block.figure, block.name)
                (folder / f"{block.name}.svg").write_text(drawings[block.name], encoding="utf-8")
            if isinstance(block, Table):
                write_table(block.frame, folder / f"{block.name}.tsv", sealed=False)
        (folder / f"{name}.html").write_text(render(head, [section], drawings, folder), encoding="utf-8")


def gene_section(
    row: Mapping[str, Any], screen: str, tables: Mapping[str, pd.DataFrame], summary: Mapping[str, Any]
) -> Section:
    """What is to be said of one gene."""
    gene = row["perturbation"]
    better, verdict = can_be_told(row, tables["accuracy"], summary)
    blocks: list[Any] = [Paragraph(verdict, "finding" if better else "warning")]
    if summary["better_than_mean"]:
        blocks.append(Paragraph(sentence(screen, summary)))
    near = _of(tables["neighbours"], gene)
    blocks.append(Paragraph(likeness_sentence(row, near)))
    changed = _of(tables["changed"], gene)
    if len(changed):
        blocks.append(
            Picture(
                f"{page_name(gene)}_picture",
                changed_figure(changed),
                f"Genes that perturbing {gene} is predicted to change most",
                "Dots: predicted change against control. Bars: 95% ranges of the predictor. Black ticks: the mean "
                "effect of all measured perturbations; a dot on its tick is nothing particular to this gene.",
                f"{count(len(changed), 'gene')} of {summary['columns']:,}; {summary['measured']} perturbations learned "
                "from.",
                "Genes are ordered by change over its standard deviation, which favours what all perturbations change.",
            )
        )
        note = "Change against control; sd: its predicted standard deviation; mean_effect: of what was measured."
        blocks.append(Table(f"{page_name(gene)}_changed", changed, "Predicted to change most", note, folded=False))
    else:
        blocks.append(Paragraph("This screen has coordinates, no genes: which genes would change cannot be named."))
    if len(near):
        note = (
            "Similarity: the mean kernel, 1 for the same gene. Agreement: correlation of what was measured of the "
            "neighbour and what is predicted here, the mean effect taken from both."
        )
        title = "Measured genes that it is like"
        blocks.append(Table(f"{page_name(gene)}_neighbours", near, title, note, folded=False))
    return Section(page_name(gene), f"{gene}, if it were perturbed", blocks)


def can_be_told(row: Mapping[str, Any], accuracy: pd.DataFrame, summary: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether perturbations as near as this one were foreseen better than by the mean effect, and a sentence."""
    gene = row["perturbation"]
    if summary["predictor"] == "training_mean":
        return False, f"{gene}: cannot be told better than the mean effect, which is what is shown here."
    if row["measured"]:
        return True, f"{gene} was measured in this screen: read that; what is shown is drawn towards its neighbours."
    table = accuracy.set_index("stratum")
    about = row["stratum"] if row["stratum"] in table.index else "all"
    if table.loc[about, "perturbations"] < LEAST_OF_A_STRATUM:
        about = "all"
    errors = table.loc[about]
    which = "held-out perturbations" if about == "all" else f"held-out perturbations that were {about}"
    error = f"{text_of(errors['relative_error'])} of the mean effect's squared error"
    if np.isfinite(errors["high"]):
        error += f" ({100 * summary['confidence']:g}% interval {text_of(errors['low'])} to {text_of(errors['high'])})"
    few = "" if about == row["stratum"] else f" Of those as near as {gene} there were too few to say."
    if errors["high"] < 1:
        return True, f"{gene} can be told better than the mean effect: {which} were predicted with {error}.{few}"
    return False, f"{gene}: cannot be told better than the mean effect; {which} were predicted with {error}.{few}"


def likeness_sentence(row: Mapping[str, Any], near: pd.DataFrame) -> str:
    """What measured genes the gene is like."""
    gene = row["perturbation"]
    if near.empty:
        return f"No measured gene is like {gene}, so that its profile is the mean effect."
    listed = ", ".join(
        f"{name} ({text_of(value)})" for name, value in zip(near["neighbour"], near["similarity"], strict=True)
    )
    return f"Of the measured genes {gene} is most like {listed}; in brackets the similarity, 1 for the same gene."


@style.styled
def changed_figure(changed: pd.DataFrame) -> Figure:
    """Predicted changes (gene, change, sd) with their ranges, the mean effect (mean_effect) beside each."""
    drawn, [[ax]] = style.figure(7.2, 1.0 + 0.24 * len(changed))
    ax.axvline(0, color=style.BLACK, lw=0.9)
    for place, row in enumerate(changed.itertuples()):
        colour = style.BLUE if row.change > 0 else style.ORANGE
        low, high = row.change - RANGE * row.sd, row.change + RANGE * row.sd
        text = f"{row.gene}: {text_of(row.change)} ({text_of(low)} to {text_of(high)})"
        text += f", mean effect {text_of(row.mean_effect)}"
        style.tell(ax.plot([low, high], [place, place], color=colour, lw=2.2, alpha=0.5, solid_capstyle="butt"), text)
        style.tell(ax.plot([row.change], [place], marker="o", color=colour, ms=5, ls="none"), text)
        style.tell(ax.plot([row.mean_effect], [place], marker="|", color=style.BLACK, ms=9, mew=1.4, ls="none"), text)
    style.rows(ax, changed["gene"].astype(str), xlabel="predicted change against control")
    return drawn


def pages_head(name: str, seed: int, screen: str, settings: Mapping[str, Any], summary: Mapping[str, Any]) -> Head:
    """What the pages say of the run."""
    asked = f"Screen {screen}: what perturbing a gene would do, by {words(summary['predictor'])}."
    return Head(name, seed, asked, {"name": name, "seed": seed, "prediction": {"screens": {screen: dict(settings)}}})


def _of(table: pd.DataFrame, gene: str) -> pd.DataFrame:
    return table[table["perturbation"] == gene].drop(columns="perturbation").reset_index(drop=True)
