"""A study of the user's own: what can be told, by which classifier, of which sample, and by which genes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scarceseq.report.blocks import Paragraph, Picture, Section, Table
from scarceseq.report.forest import forest_figure
from scarceseq.report.glossary import plain_method
from scarceseq.report.joins import joins_blocks
from scarceseq.report.own_study_figures import (
    BEST,
    accuracy_figure,
    gene_figure,
    gene_names,
    method_words,
    reliability_figure,
    samples_figure,
)
from scarceseq.report.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from scarceseq.report.inputs import Inputs

SHOWN = 20
SAMPLES_DRAWN = 80
FALSE_DISCOVERY = 0.05
# Of integrated gradients, as a share of what they should add up to.
LARGEST_ERROR = 0.1


def section(inputs: "Inputs") -> Section | None:
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
    blocks += [Paragraph(sentence, "finding") for sentence in answer]
    blocks += [Paragraph(sentence) for sentence in details]
    blocks.append(Paragraph(_about(summary)))
    blocks += sample_blocks(inputs.table("own_samples"), summary)
    blocks.append(_accuracy(scores, summary))
    if len(contrasts):
        blocks.append(_differences(contrasts, [method_words(name) for name in contrasts["against"]], summary))
    blocks.append(_reliability(inputs, summary))
    genes = inputs.table("own_genes") if inputs.has("own_genes") else None
    if genes is None:
        blocks += differential_blocks(inputs, None)
    else:
        ((_, checked),) = inputs.values("own_genes_json")
        ((_, card),) = inputs.values("own_card")
        blocks.append(Paragraph(_about_model(card)))
        blocks += differential_blocks(inputs, genes.head(checked["named"]))
        blocks += _network_blocks(genes, checked, summary)
    blocks.append(Table("own_scores", scores, "Scores of every method", "Means over repeats."))
    permutations = inputs.table("own_permutations")
    note = "Permutation 0 is the true labels; one cross-validation each, everything chosen anew."
    blocks.append(Table("own_permutations", permutations, "Against permuted labels", note))
    curve = inputs.table("own_learning_curve")
    if len(curve):
        note = (
            "Draws of so many animals (groups) of each class to learn from, the rest predicted; below the line at most "
            "twice as many by an inverse power law, with 90% intervals whose coverage was not shown."
        )
        blocks.append(Table("own_learning_curve", curve, "With fewer and more samples", note))
    blocks += joins_blocks(inputs, "own")
    return Section("own_study", "Your study", blocks)


def _network_blocks(genes: "pd.DataFrame", checked: Mapping[str, Any], summary: Mapping[str, Any]) -> list[Any]:
    """Genes that the network's decision rests on."""
    noise = "" if summary["best_beats_chance"] else " Nothing was shown to beat chance, so that this list may be noise."
    note = (
        "Highest in: the class with the highest mean. Folds at the top: share of folds in which the gene is this high."
    )
    return [
        Paragraph(_genes_sentence(checked) + noise, "finding"),
        _genes_picture(genes, checked),
        Table(
            "own_genes",
            genes,
            "Genes that the network rests on",
            note,
            shown=genes.head(checked["named"]),
            folded=False,
        ),
    ]


def sample_blocks(samples: "pd.DataFrame", summary: Mapping[str, Any]) -> list[Any]:
    """Every sample: what it is, what it is taken for, how surely, how often wrongly."""
    predicted = samples[samples["predicted"].notna()]
    blocks: list[Any] = []
    outside = samples.loc[samples["outside"].astype(bool), "sample"].astype(str).tolist()
    if outside:
        blocks.append(
            Paragraph(
                f"Unlike the samples learned from, so that their prediction may mean nothing: {', '.join(outside)}.",
                "warning",
            )
        )
    note = (
        "Probability: of the predicted class, mean over repeats, by fits that did not see the sample. Wrong share: of "
        "the repeats. Outside: farther from the nearest training sample than any of these from its own."
    )
    if len(predicted) <= SAMPLES_DRAWN:
        blocks.append(
            Picture(
                "own_sample_probabilities",
                samples_figure(predicted),
                "Each sample, what it is taken for and how surely",
                "Filled: right. Open: wrong, or without a label. Colour: the predicted class.",
                f"{len(predicted)} samples, {count(summary['repeats'], 'repeat')}.",
                "A probability is of this study's classes alone: a sample of neither gets one too.",
            )
        )
    blocks.append(Table("own_sample_predictions", samples, "Every sample", note, folded=len(samples) > SHOWN))
    return blocks


def differential_blocks(inputs: "Inputs", named: "pd.DataFrame | None") -> list[Paragraph | Table]:
    """Genes that differ between the classes by their counts alone, and how many of the network's are among them.

    Parameters
    ----------
    inputs : scarceseq.report.inputs.Inputs
    named : pandas.DataFrame, optional
        gene_id, gene_name: the network's list, if there is a model.
    """
    table = inputs.table("own_differential_genes")
    ((_, tested),) = inputs.values("own_differential_genes_json")
    found = table[table["adjusted_p_value"] < FALSE_DISCOVERY]
    first = ", ".join(str(name) for name in table["gene_name"].head(5))
    names = set(found["gene_name"].astype(str)) | set(found["gene_id"].astype(str))
    text = (
        f"By their counts alone, {count(len(found), 'gene')} of {tested['tested']:,} tested differ between the classes "
        f"(false discovery rate {FALSE_DISCOVERY:.0%}); the first are {first}."
    )
    if named is not None:
        shared = int(gene_names(named).isin(names).sum() if len(named) else 0)
        text += f" The network's list of {len(named)} genes, below, shares {shared} with them."
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


def _accuracy(scores: "pd.DataFrame", summary: Mapping[str, Any]) -> Picture:
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


def _differences(contrasts: "pd.DataFrame", names: list[str], summary: Mapping[str, Any]) -> Picture:
    return Picture(
        "own_differences",
        forest_figure(contrasts, names, "difference of the best classifier in balanced accuracy"),
        "The best classifier against each other method, on the same folds",
        "Grey: the interval holds 0.",
        f"{summary['folds']} folds, {count(summary['repeats'], 'repeat')}.",
        "Many comparisons: one of twenty leaves 0 out by chance.",
    )


def _reliability(inputs: "Inputs", summary: Mapping[str, Any]) -> Picture:
    told = inputs.table("own_predictions")
    told = told[told["method"] == BEST]
    few = "" if summary["calibrated"] else ", which are few for that"
    return Picture(
        "own_reliability",
        reliability_figure(told, len(summary["classes"])),
        "Whether probabilities mean what they say",
        f"Each dot: predictions of similar probability, their number beside it; on the line, they are right as often "
        f"as they say. Probabilities are calibrated on inner folds of the training samples{few}.",
        f"{len(told)} predictions of {summary['predicted']} samples.",
        "Repeats predict the same samples again: the numbers beside the dots are not independent samples.",
    )


def _genes_sentence(checked: Mapping[str, Any]) -> str:
    if checked["completeness_error"] > LARGEST_ERROR:
        return (
            f"Integrated gradients do not add up to the decision of {plain_method(checked['method'])} (error "
            f"{checked['completeness_error']:.0%}): go by the loss when values are exchanged."
        )
    return (
        f"{plain_method(checked['method']).capitalize()} rests on genes that integrated gradients and exchanging "
        f"values rank alike to {checked['rank_correlation']:.2f} (Spearman, {checked['genes']:,} genes); of the first "
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
