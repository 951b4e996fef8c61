"""What perturbing genes that a screen did not measure would do: how far that can be told, and the first genes."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from scarceseq.report.blocks import Paragraph, Section, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import count, words

SHOWN_GENES, SHOWN_PERTURBATIONS = 8, 30


def sentence(screen: str, summary: Mapping[str, Any]) -> str:
    """How well held-out perturbations are foreseen, in plain words."""
    low, high = summary["interval"]
    interval = "too few perturbations for an interval"
    if low is not None:
        interval = f"{100 * summary['confidence']:g}% interval {text_of(low)} to {text_of(high)}"
    error = f"{text_of(summary['relative_error'])} of the mean effect's squared error ({interval})"
    if summary["better_than_mean"]:
        return (
            f"Screen {screen}: perturbations that were held out are predicted with {error}, the choice of the "
            f"predictor included; {words(summary['predictor'])} was chosen."
        )
    return (
        f"Screen {screen}: cannot be told better than the mean effect. Perturbations that were held out are predicted "
        f"with {error}; do not read gene-specific effects into these profiles."
    )


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if nothing was predicted."""
    if not inputs.has("prediction_summary"):
        return None
    summaries = [(labels["screen"], summary) for labels, summary in inputs.values("prediction_summary")]
    findings = [sentence(screen, summary) for screen, summary in summaries]
    blocks: list = [Paragraph(text, "finding") for text in findings]
    for screen, summary in summaries:
        text = (
            f"Screen {screen}: learned from {count(summary['measured'], 'measured perturbation')}; "
            f"{count(summary['predicted'], 'further one')} predicted (prediction/{screen}/profiles.h5ad, layer sd)."
        )
        if summary["outside"]:
            genes = count(summary["outside"], "gene")
            text += f" Of {genes} nothing is known, so that they get the mean effect."
        blocks.append(Paragraph(text))
    note = (
        "Squared error of held-out perturbations over that of the mean effect: 1 is no better than the mean effect. By "
        "how similar the perturbed gene is to the nearest one that was learned from. within_95: share of measured "
        "values within the 95% range that the predictor gave (0.95 is right)."
    )
    blocks.append(Table("prediction_accuracy", inputs.stacked("prediction_accuracy"), "How well it is told", note))
    note = "Squared error over folds of all perturbations, relative to the mean effect."
    choice = inputs.stacked("prediction_choice")
    blocks.append(Table("prediction_choice", choice, "Predictors to choose from", note))
    changed = inputs.stacked("prediction_changed")
    if len(changed):
        note = (
            f"The {SHOWN_GENES} genes of the largest predicted change over its standard deviation, up (+) or down (-); "
            f"the perturbed gene left out. Here the first {SHOWN_PERTURBATIONS} perturbations; the file has all."
        )
        title = "Genes that change most"
        blocks.append(Table("prediction_changed", changed, title, note, shown=_wide(changed)))
    return Section("prediction", "What the others would do", blocks)


def _wide(changed: pd.DataFrame) -> pd.DataFrame:
    """One row per perturbation: the genes by name, with their direction."""
    rows = changed[changed["rank"] <= SHOWN_GENES]
    signs = rows["change"].map(lambda change: "+" if change > 0 else "-")
    rows = rows.assign(genes=rows["gene"].astype(str) + signs)
    wide = rows.groupby(["screen", "perturbation"], sort=False)["genes"].agg(", ".join).reset_index()
    return wide.head(SHOWN_PERTURBATIONS)
