"""A study of the user's own: what can be told, by which method, and by which genes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scarceseq.report import style
from scarceseq.report.blocks import Paragraph, Picture, Section, Table
from scarceseq.report.forest import draw_estimate, forest_figure
from scarceseq.report.glossary import explain, plain_method
from scarceseq.report.joins import joins_blocks
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import count, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from scarceseq.report.inputs import Inputs

BINS = 5
GENES_DRAWN = 20
SHOWN = 20
FALSE_DISCOVERY = 0.05
# Of integrated gradients, as a share of what they should add up to.
LARGEST_ERROR = 0.1


@style.styled
def accuracy_figure(scores: "pd.DataFrame", permutations: "pd.DataFrame", chance: float) -> "Figure":
    """Balanced accuracy of each method with its interval, best at the top; ticks where permuted labels reach.

    Parameters
    ----------
    scores, permutations : pandas.DataFrame
        ``scores.tsv`` and ``permutations.tsv``.
    chance : float
    """
    drawn, axes = style.figure(7.2, 1.2 + 0.26 * len(scores))
    ax = axes[0, 0]
    style.tell(ax.axvline(chance, color=style.BLACK, lw=0.9, ls=(0, (4, 3))), f"chance: {text_of(chance)}")
    for place, row in enumerate(scores.itertuples()):
        values = row.balanced_accuracy, row.low, row.high
        draw_estimate(ax, place, values, plain_method(row.method), style.BLUE, size=6)
        for high in permutations.loc[permutations["method"] == row.method, "permuted_high"]:
            tick = ax.plot([high], [place], marker="|", ms=12, mew=2, color=style.ORANGE, ls="none")
            style.tell(tick, f"{plain_method(row.method)}, permuted labels: {text_of(high)}")
    ax.set_yticks(range(len(scores)), [plain_method(name) for name in scores["method"]])
    explain(ax, scores["method"])
    ax.set_ylim(len(scores) - 0.4, -0.6)
    ax.set_xlim(-0.02, 1.02)
    ax.set_xlabel("balanced accuracy on held-out samples")
    ax.grid(True, axis="x")
    return drawn


@style.styled
def reliability_figure(told: "pd.DataFrame", classes: int) -> "Figure":
    """Share of right predictions against the probability that was told, in five bins of equal width.

    Parameters
    ----------
    told : pandas.DataFrame
        Predictions of one method: label, predicted, p_0, p_1, ...
    classes : int
    """
    drawn, axes = style.figure(4.4, 3.6)
    ax = axes[0, 0]
    surest = told[[f"p_{number}" for number in range(classes)]].max(axis=1).to_numpy()
    right = (told["label"] == told["predicted"]).to_numpy()
    place = np.minimum((surest * BINS).astype(int), BINS - 1)
    ax.plot([0, 1], [0, 1], color=style.GREY, lw=0.9, ls=(0, (4, 3)))
    for number in np.unique(place):
        own = place == number
        at = surest[own].mean(), right[own].mean()
        dot = ax.plot(*at, marker="o", ms=7, color=style.BLUE, ls="none")
        style.tell(dot, f"{count(own.sum(), 'prediction')}: told {text_of(at[0])}, right {text_of(at[1])}")
        ax.annotate(f"{own.sum()}", at, xytext=(6, -10), textcoords="offset points", fontsize=8)
    ax.set_xlim(1 / classes - 0.05, 1.02)
    ax.set_ylim(-0.02, 1.05)
    ax.set_xlabel("probability told for the predicted class")
    ax.set_ylabel("share that is right")
    ax.grid(True)
    return drawn


@style.styled
def gene_figure(genes: "pd.DataFrame", summary: Mapping[str, Any]) -> "Figure":
    """The first genes, coloured by the class in which they are highest, and both measures of all genes.

    Parameters
    ----------
    genes : pandas.DataFrame
        ``genes.tsv``.
    summary : dict
        ``genes.json``.
    """
    first = genes.head(GENES_DRAWN)
    drawn, axes = style.figure(8.4, 1.2 + 0.18 * len(first), columns=2)
    bars, points = axes[0]
    classes = sorted(genes["highest_in"].astype(str).unique())
    for number, name in enumerate(classes):
        own = first[first["highest_in"].astype(str) == name]
        colour = style.PALETTE[number % len(style.PALETTE)]
        drawn_bars = bars.barh(own["rank"] - 1, own["attribution"], color=colour, label=f"highest in {name}")
        for bar, text in zip(drawn_bars, _gene_texts(own), strict=True):
            style.tell(bar, text)
    bars.set_yticks(range(len(first)), _gene_names(first))
    bars.set_ylim(len(first) - 0.4, -0.6)
    bars.set_xlabel("integrated gradients (logits)")
    bars.legend(loc="lower right")
    both = genes["named_by_both"]
    for part, colour, size in ((genes[~both], style.LIGHT, 3), (genes[both], style.BLUE, 5)):
        look = {"marker": "o", "ms": size, "color": colour, "ls": "none"}
        look["rasterized"] = len(part) > style.POINTS_TOLD  # as vectors they would be most of the page
        dots = points.plot(part["attribution"], part["permutation_importance"], **look)
        style.tell(dots, f"{len(part):,} genes", _gene_texts(part))
    points.set_xlabel("integrated gradients (logits)")
    points.set_ylabel("loss when the gene's values\nare exchanged (logits)")
    points.set_title(f"rank correlation {summary['rank_correlation']:.2f}")
    points.grid(True)
    for ax in (bars, points):
        ax.locator_params(axis="x", nbins=5)
    return drawn


def _gene_names(genes: "pd.DataFrame") -> "pd.Series":
    return genes["gene_name"].fillna(genes["gene_id"]).astype(str)


def _gene_texts(genes: "pd.DataFrame") -> list[str]:
    """What the mark of each gene tells."""
    return [
        f"{name}: integrated gradients {text_of(row.attribution)}, values exchanged "
        f"{text_of(row.permutation_importance)}, highest in {row.highest_in}"
        for name, row in zip(_gene_names(genes), genes.itertuples(), strict=True)
    ]


def section(inputs: "Inputs") -> Section | None:
    """Section of the page, or None if there is no study of the user's own."""
    if not inputs.has("own_scores"):
        return None
    scores, contrasts, permutations, genes = (
        inputs.table(f"own_{name}") for name in ("scores", "contrasts", "permutations", "genes")
    )
    ((_, summary),) = inputs.values("own_summary")
    ((_, checked),) = inputs.values("own_genes_json")
    ((_, card),) = inputs.values("own_card")
    notes = inputs.table("own_notes")
    warnings = summary["warnings"]
    verdict = summary["verdict"][len(warnings) :]
    others = notes.loc[notes["kind"] != "confounded", "text"]
    blocks = [Paragraph(text, "warning") for text in [*warnings, *(f"{text}." for text in others)]]
    blocks += [Paragraph(sentence, "finding") for sentence in verdict[:3]]
    blocks += [Paragraph(sentence) for sentence in verdict[3:]]
    blocks.append(Paragraph(_about(summary, card)))
    blocks.append(_accuracy(scores, permutations, summary))
    names = [plain_method(name) for name in contrasts["against"]]
    if len(contrasts):
        blocks.append(_differences(contrasts, names, summary))
    blocks.append(_reliability(inputs, summary))
    blocks += differential_blocks(inputs, genes.head(checked["named"]))
    noise = "" if summary["first_beats_chance"] else " It was not shown to beat chance, so that this list may be noise."
    blocks.append(Paragraph(_genes_sentence(checked) + noise, "finding"))
    blocks.append(_genes_picture(genes, checked))
    shown = genes.head(checked["named"])
    note = (
        "Highest in: the class with the highest mean. Folds at the top: share of folds in which the gene is this high."
    )
    blocks.append(Table("own_genes", genes, "Genes that the decision rests on", note, shown=shown, folded=False))
    blocks.append(Table("own_scores", scores, "Scores of every method", "Means over repeats."))
    blocks.append(Table("own_permutations", permutations, "Against permuted labels"))
    blocks += joins_blocks(inputs, "own")
    return Section("own_study", "Your study", blocks)


def differential_blocks(inputs: "Inputs", named: "pd.DataFrame") -> list[Paragraph | Table]:
    """Genes that differ between the classes by their counts alone, and how many of the network's are among them.

    Parameters
    ----------
    inputs : scarceseq.report.inputs.Inputs
    named : pandas.DataFrame
        gene_id, gene_name: the network's list.
    """
    table = inputs.table("own_differential_genes")
    ((_, tested),) = inputs.values("own_differential_genes_json")
    found = table[table["adjusted_p_value"] < FALSE_DISCOVERY]
    first = ", ".join(str(name) for name in table["gene_name"].head(5))
    names = set(found["gene_name"].astype(str)) | set(found["gene_id"].astype(str))
    shared = int(_gene_names(named).isin(names).sum() if len(named) else 0)
    text = (
        f"By their counts alone, {count(len(found), 'gene')} of {tested['tested']:,} tested differ between the classes "
        f"(false discovery rate {FALSE_DISCOVERY:.0%}); the first are {first}. The network's list of {len(named)} "
        f"genes, below, shares {shared} with them."
    )
    how = "a moderated t" if len(tested["classes"]) == 2 else "a moderated F"
    note = f"{how[0].upper()}{how[1:]} on log2 counts per million (empirical Bayes, as in limma)"
    note += ", with the groups as blocks." if tested["blocked"] else "."
    if tested["summed"]:
        note += f" Samples of one group were added up first ({count(tested['summed'], 'group')})."
    note += " Fold changes are of the second class against the first, by name." if how == "a moderated t" else ""
    title = "Genes that differ between the classes"
    return [
        Paragraph(text, "finding"),
        Table("own_differential_genes", table, title, note, shown=table.head(SHOWN), folded=False),
    ]


def _about(summary: Mapping[str, Any], card: Mapping[str, Any]) -> str:
    how = "once, on the held-out samples" if summary["held_out"] else f"in {summary['folds']} folds"
    often = "" if summary["held_out"] else f", {count(summary['repeats'], 'time')} anew"
    return (
        f"Model {card['name']} of {card['organism']} ({card['genes']:,} genes; {card['training_samples']:,} samples of "
        f"{count(len(card['training_studies']), 'study', 'studies')}; {card['date']}). {summary['samples']} samples "
        f"were predicted {how}{often}; each method was tuned within the training samples of a fold. By their counts, "
        f"none of your samples is one of the {card['sketched_samples']:,} that the model was made with."
    )


def _accuracy(scores: "pd.DataFrame", permutations: "pd.DataFrame", summary: Mapping[str, Any]) -> Picture:
    return Picture(
        "own_accuracy",
        accuracy_figure(scores, permutations, 1 / len(summary["classes"])),
        "How well each method predicts samples that it did not see",
        f"Dots: mean over folds. Bars: {100 * summary['confidence']:g}% intervals over folds, corrected for their "
        "overlap. Dashed: chance. Orange ticks: what the best twentieth of permuted labels reaches.",
        f"{summary['predicted']} samples, {count(summary['repeats'], 'repeat')}.",
        "Samples of one animal or patient in different folds (give `group`); a batch that goes with the label; a "
        "choice among methods by this very figure.",
    )


def _differences(contrasts: "pd.DataFrame", names: list[str], summary: Mapping[str, Any]) -> Picture:
    return Picture(
        "own_differences",
        forest_figure(contrasts, names, f"difference of {plain_method(summary['first'])} in balanced accuracy"),
        f"{plain_method(summary['first']).capitalize()} against each other method, on the same folds",
        "Grey: the interval holds 0.",
        f"{summary['folds']} folds, {count(summary['repeats'], 'repeat')}.",
        "Many comparisons: one of twenty leaves 0 out by chance.",
    )


def _reliability(inputs: "Inputs", summary: Mapping[str, Any]) -> Picture:
    told = inputs.table("own_predictions")
    told = told[told["method"] == summary["first"]]
    state = "calibrated on inner folds of the training samples" if summary["calibrated"] else "not calibrated"
    return Picture(
        "own_reliability",
        reliability_figure(told, len(summary["classes"])),
        "Whether probabilities mean what they say",
        f"Each dot: predictions of similar probability, their number beside it; on the line, they are right as often "
        f"as they say. Probabilities are {state}.",
        f"{len(told)} predictions of {summary['predicted']} samples.",
        "Repeats predict the same samples again: the numbers beside the dots are not independent samples.",
    )


def _genes_sentence(checked: Mapping[str, Any]) -> str:
    if checked["completeness_error"] > LARGEST_ERROR:
        return (
            f"Integrated gradients do not add up to the decision of {words(checked['method'])} (error "
            f"{checked['completeness_error']:.0%}): go by the loss when values are exchanged."
        )
    return (
        f"{words(checked['method']).capitalize()} rests on genes that integrated gradients and exchanging values rank "
        f"alike to {checked['rank_correlation']:.2f} (Spearman, {checked['genes']:,} genes); of the first "
        f"{checked['named']} of each list {checked['named_by_both']} are the same, {checked['expected_by_chance']:.1f} "
        "would be by chance."
    )


def _genes_picture(genes: "pd.DataFrame", checked: Mapping[str, Any]) -> Picture:
    return Picture(
        "own_genes_agreement",
        gene_figure(genes, checked),
        "What the decision rests on, by two measures",
        "Left: what a gene adds to the logit of the true class on the way from the middle between the classes. Right: "
        "beside it, how far that logit falls when the gene has another sample's value. Both for samples that the fit "
        f"did not see. Blue dots: among the first {checked['named']} of both lists.",
        f"{checked['genes']:,} genes.",
        "Genes that rise together share what one of them would have alone; a list of a prediction at chance is noise; "
        "it is no list of differentially expressed genes.",
    )
