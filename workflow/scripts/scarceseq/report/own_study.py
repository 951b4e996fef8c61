"""A study of the user's own: what can be told, by which classifier, of which sample, and by which genes."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from scarceseq.report.blocks import Paragraph, Picture, Section, Table
from scarceseq.report.forest import forest_figure
from scarceseq.report.glossary import plain_method
from scarceseq.report.inputs import Inputs
from scarceseq.report.joins import joins_blocks
from scarceseq.report.next_experiment import next_blocks
from scarceseq.report.own_study_figures import (
    BEST,
    accuracy_figure,
    gene_figure,
    method_words,
    reliability_figure,
    samples_figure,
)
from scarceseq.report.wording import count

SHOWN = 20
SAMPLES_DRAWN = 80
FALSE_DISCOVERY = 0.05
# Of integrated gradients, as a share of what they should add up to.
LARGEST_ERROR = 0.1


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if there is no study of the user's own."""
    if not inputs.has("own_scores"):
        return None
    scores, contrasts = inputs.table("own_scores"), inputs.table("own_contrasts")
    ((_, summary),) = inputs.values("own_summary")
    notes = inputs.table("own_notes")
    warnings, answer = summary["warnings"], summary["answer"]
    details = summary["verdict"][len(warnings) + len(answer) :]
    others = notes.loc[notes["kind"] != "confounded", "text"]
    blocks: list[Any] = [Paragraph(text, "warning") for text in [*warnings, *(f"{text}." for text in others)]]
    # The answer itself is on the first screen; of what follows the first sentence is shown and the rest folded.
    blocks.append(Paragraph(" ".join([*details, _about(summary)])))
    blocks += sample_blocks(inputs.table("own_samples"), summary)
    blocks.append(_accuracy(scores, summary))
    if len(contrasts):
        blocks.append(_differences(contrasts, summary))
    blocks.append(_reliability(inputs, summary))
    blocks += differential_blocks(inputs)
    if inputs.has("own_genes"):
        ((_, checked),) = inputs.values("own_genes_json")
        ((_, card),) = inputs.values("own_card")
        blocks.append(Paragraph(_about_model(card)))
        blocks += network_blocks(inputs.table("own_genes"), checked, summary)
    blocks.append(Table("own_scores", scores, "Scores of every method", "Means over repeats."))
    permutations = inputs.table("own_permutations")
    note = "Permutation 0 is the true labels; one cross-validation each, everything chosen anew."
    blocks.append(Table("own_permutations", permutations, "Against permuted labels", note))
    return Section("own_study", "Your study", [*blocks, *next_blocks(inputs), *joins_blocks(inputs, "own")])


def network_blocks(genes: pd.DataFrame, checked: Mapping[str, Any], summary: Mapping[str, Any]) -> list[Any]:
    """Genes that the network's decision rests on, and how far they are those that differ by counts."""
    noise = "" if summary["best_beats_chance"] else " Nothing was shown to beat chance, so that this list may be noise."
    note = (
        "Highest in: the class with the highest mean. Folds at the top: share of folds in which the gene is this high. "
        "Reference: the studies that the model was made with; a gene is silent there below 0.1 TPM. Floored "
        "attribution: as if the gene varied there at least as the median gene does, so that one that the model hardly "
        "saw vary does not lead."
    )
    blocks: list[Any] = [Paragraph(genes_sentence(checked) + noise, "finding")]
    if checked["silent"]:
        blocks.append(Paragraph(_silent_sentence(checked), "warning" if _mostly_silent(checked) else "plain"))
    title = "Genes that the network rests on"
    table = Table("own_genes", genes, title, note, shown=genes.head(checked["named"]), folded=False)
    return [*blocks, _genes_picture(genes, checked), table]


def sample_blocks(samples: pd.DataFrame, summary: Mapping[str, Any]) -> list[Any]:
    """Every sample: what it is, what it is taken for, how surely, how often wrongly."""
    predicted = samples[samples["predicted"].notna()]
    blocks: list[Any] = []
    outside = samples.loc[samples["outside"].astype(bool), "sample"].astype(str).tolist()
    if outside:
        text = f"Unlike the samples learned from, so that their prediction may mean nothing: {', '.join(outside)}."
        blocks.append(Paragraph(text, "warning"))
    note = (
        "Probability: of the predicted class, mean over repeats, by fits that did not see the sample. Wrong share: of "
        "the repeats. Outside: farther from the nearest training sample than any of these from its own."
    )
    if len(predicted) <= SAMPLES_DRAWN:
        picture = Picture(
            "own_sample_probabilities",
            samples_figure(predicted),
            "Each sample, what it is taken for and how surely",
            "Filled: right. Open: wrong, or without a label. Colour: the predicted class.",
            f"{len(predicted)} samples, {count(summary['repeats'], 'repeat')}.",
            "A probability is of this study's classes alone: a sample of neither gets one too.",
        )
        blocks.append(picture)
    blocks.append(Table("own_sample_predictions", samples, "Every sample", note, folded=len(samples) > SHOWN))
    return blocks


def differential_blocks(inputs: Inputs) -> list[Paragraph | Table]:
    """Genes that differ between the classes by their counts alone."""
    table = inputs.table("own_differential_genes")
    ((_, tested),) = inputs.values("own_differential_genes_json")
    differ = table[table["adjusted_p_value"] < FALSE_DISCOVERY]
    first = ", ".join(str(name) for name in table["gene_name"].head(5))
    text = (
        f"By their counts alone, {count(len(differ), 'gene')} of {tested['tested']:,} tested differ between the "
        f"classes (false discovery rate {FALSE_DISCOVERY:.0%}); the first are {first}."
    )
    two = len(tested["classes"]) == 2
    note = f"A moderated {'t' if two else 'F'} on log2 counts per million (empirical Bayes, as in limma)"
    note += ", with the groups as blocks." if tested["blocked"] else "."
    if tested["summed"]:
        note += f" Samples of one group were added up first ({count(tested['summed'], 'group')})."
    note += " Fold changes are of the second class against the first, by name." if two else ""
    title = "Genes that differ between the classes"
    shown = Table("own_differential_genes", table, title, note, shown=table.head(SHOWN), folded=False)
    sets = enrichment_blocks(inputs, tested["classes"]) if inputs.has("own_gene_set_enrichment") else []
    return [Paragraph(text, "finding"), shown, *sets]


def enrichment_blocks(inputs: Inputs, classes: list[str]) -> list[Paragraph | Table]:
    """Gene sets whose genes differ together."""
    table = inputs.table("own_gene_set_enrichment")
    differ = table[table["adjusted_p_value"] < FALSE_DISCOVERY]
    text = (
        f"Of {count(len(table), 'gene set')} tested, {len(differ):,} differ between the classes as a whole (false "
        f"discovery rate {FALSE_DISCOVERY:.0%})"
    )
    text += f"; the first are {', '.join(differ['gene_set'].astype(str).head(3))}." if len(differ) else "."
    note = "The genes of a set against all others tested, allowing for their correlation (pre-ranked camera)."
    note += f" Up and down are in {classes[1]} against {classes[0]}." if len(classes) == 2 else ""
    title = "Gene sets that differ between the classes"
    return [Paragraph(text, "finding"), Table("own_gene_set_enrichment", table, title, note, shown=table.head(SHOWN))]


def _about(summary: Mapping[str, Any]) -> str:
    how = "once, on the held-out samples" if summary["held_out"] else f"in {summary['folds']} folds"
    often = "" if summary["held_out"] else f", {count(summary['repeats'], 'time')} anew"
    return (
        f"{summary['samples']} samples with a label were predicted {how}{often}; genes, settings and the classifier "
        "were chosen within the training samples of a fold."
    )


def _about_model(card: Mapping[str, Any]) -> str:
    return (
        f"Model {card['name']} of {card['organism']} ({card['genes']:,} genes; {card['training_samples']:,} samples of "
        f"{count(len(card['training_studies']), 'study', 'studies')}; {card['date']}). By their counts, "
        f"none of your samples is one of the {card['sketched_samples']:,} that the model was made with."
    )


def _accuracy(scores: pd.DataFrame, summary: Mapping[str, Any]) -> Picture:
    return Picture(
        "own_accuracy",
        accuracy_figure(scores, summary["test"].get("permuted_high"), 1 / len(summary["classes"])),
        "How well each method predicts samples that it did not see",
        f"Dots: mean over folds. Bars: {100 * summary['confidence']:g}% intervals over folds, corrected for their "
        "overlap. Dashed: chance. Orange tick: what the best twentieth of permuted labels reaches.",
        f"{summary['predicted']} samples, {count(summary['repeats'], 'repeat')}.",
        "Samples of one animal or patient in different folds (give `group`); a batch that goes with the label; a "
        "choice among methods by this very figure.",
    )


def _differences(contrasts: pd.DataFrame, summary: Mapping[str, Any]) -> Picture:
    names = [method_words(name) for name in contrasts["against"]]
    return Picture(
        "own_differences",
        forest_figure(contrasts, names, "difference of the best classifier in balanced accuracy"),
        "The best classifier against each other method, on the same folds",
        "Grey: the interval holds 0.",
        f"{summary['folds']} folds, {count(summary['repeats'], 'repeat')}.",
        "Many comparisons: one of twenty leaves 0 out by chance.",
    )


def _reliability(inputs: Inputs, summary: Mapping[str, Any]) -> Picture:
    predictions = inputs.table("own_predictions")
    predictions = predictions[predictions["method"] == BEST]
    few = "" if summary["calibrated"] else ", which are few for that"
    return Picture(
        "own_reliability",
        reliability_figure(predictions, len(summary["classes"])),
        "Whether probabilities mean what they say",
        f"Each dot: predictions of similar probability, their number beside it; on the line, they are right as often "
        f"as they say. Probabilities are calibrated on inner folds of the training samples{few}.",
        f"{len(predictions)} predictions of {summary['predicted']} samples.",
        "Repeats predict the same samples again: the numbers beside the dots are not independent samples.",
    )


def genes_sentence(checked: Mapping[str, Any]) -> str:
    """What the network's list is worth beside differential expression."""
    method = plain_method(checked["method"])
    if checked["completeness_error"] > LARGEST_ERROR:
        return (
            f"Integrated gradients do not add up to the decision of {method} (error "
            f"{checked['completeness_error']:.0%}): go by the loss when values are exchanged."
        )
    if checked["rank_correlation"] is None:
        return (
            f"{method.capitalize()} rests on the genes below; too few of them were tested by their counts to compare."
        )
    return (
        f"Of the first {checked['compared_first']} genes that {method} rests on, {checked['shared']} are among the "
        f"first {checked['compared_first']} by counts alone ({checked['expected_by_chance']:.1f} would be by chance). "
        f"Over {checked['compared']:,} genes the two rankings correlate by {checked['rank_correlation']:.2f} "
        "(Spearman)."
    )


def _mostly_silent(checked: Mapping[str, Any]) -> bool:
    return 2 * checked["silent"] >= checked["named"]


def _silent_sentence(checked: Mapping[str, Any]) -> str:
    text = (
        f"{checked['silent']} of the first {checked['named']} genes {'is' if checked['silent'] == 1 else 'are'} silent "
        f"in the studies that the model was made with ({checked['silent_share']:.0%} of all its genes)"
    )
    return f"{text}: it knows nothing of them, trust the counts instead." if _mostly_silent(checked) else f"{text}."


def _genes_picture(genes: pd.DataFrame, checked: Mapping[str, Any]) -> Picture:
    return Picture(
        "own_genes_agreement",
        gene_figure(genes, checked),
        "What the decision rests on, beside what differs by counts",
        "Left: what a gene adds to the logit of the true class on the way from the middle between the classes, for "
        "samples that the fit did not see; genes that hardly vary in the model's studies count as if they did. Right: "
        "the same beside the test of the counts alone. Blue dots: among the first "
        f"{checked['compared_first']} of both.",
        f"{checked['genes']:,} genes, {checked['compared']:,} of them tested by their counts.",
        "Genes that rise together share what one of them would have alone; a list of a prediction at chance is noise.",
    )
