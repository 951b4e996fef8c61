"""The genes that a decision rests on, over all folds, and how far they are those that differ between the classes."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scarceseq.fewshot.corpus import Episodes
from scarceseq.fewshot.method import Candidate
from scarceseq.own_study.attribution import explain_fold
from scarceseq.own_study.folds import fold_episodes
from scarceseq.seeds import derive

if TYPE_CHECKING:
    from scarceseq.fewshot.corpus import Corpus
    from scarceseq.own_study.settings import FoldSettings

SILENT_TPM = 0.1
"""Typical level in the reference below which a gene is silent there, as GTEx has it (GTEx Consortium 2020)."""


def explain(
    samples: pd.DataFrame,
    corpus: "Corpus",
    predict: Any,
    candidates: pd.DataFrame,
    settings: "FoldSettings",
    options: dict[str, int],
    seed: int,
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """Both measures of every gene for each sample when it was held out, over folds and repeats.

    The baseline is the middle between the classes of a fold's training samples. `samples` are from
    `scarceseq.own_study.sample_labels.labelled`, `predict` is of a method that is trained by gradient, `candidates`
    (repeat, fold, candidate, steps) are what the folds chose, `options` have ``path_points`` and ``shuffles``; `seed`
    is the same as of the predictions, so that folds and fits are.

    Attribution and importance are (folds x repeats, genes), means over the held-out samples of a fold; for
    ``completeness_error`` see `explain_fold`.
    """
    chosen = {(row.repeat, row.fold): Candidate(float(row.candidate), row.steps) for row in candidates.itertuples()}
    everyone = corpus.rows(samples["sample"].tolist())
    attributions, importances, errors = [], [], []
    for repeat in sorted(candidates["repeat"].unique()):
        for fold, outer, _ in fold_episodes(samples, settings.folds, settings.inner_folds, repeat, seed):
            episode = Episodes(outer, corpus)[0]
            classifier = predict.fitted(episode, chosen[repeat, fold])
            of_classes = [episode.support[episode.support_classes == c] for c in range(len(episode.classes))]
            baseline = np.mean([rows.mean(axis=0) for rows in of_classes], axis=0)
            generator = np.random.default_rng(derive(seed, "exchanges", repeat, fold))
            shared = options["path_points"], options["shuffles"], generator
            attribution, importance, error = explain_fold(classifier, episode, everyone, baseline, *shared)
            attributions.append(attribution.mean(axis=0))
            importances.append(importance.mean(axis=0))
            errors.append(error)
    return np.stack(attributions), np.stack(importances), {"completeness_error": max(errors)}


def floored_shares(scale: np.ndarray) -> np.ndarray:
    """What is left of each gene's attribution when standard deviations below their median are raised to it; (genes,).

    For a network that is linear in the gene this is the attribution of z-scores by the raised deviation. It is what the
    features `floored_genes` do.
    """
    return scale / np.maximum(scale, np.median(scale))


def gene_table(
    measures: tuple[np.ndarray, np.ndarray],
    genes: pd.DataFrame,
    expression: np.ndarray,
    labels: pd.Series,
    reference: tuple[np.ndarray, np.ndarray],
    differential: pd.DataFrame,
    named: int,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Genes by what they add to the decision, and how far that is what the counts alone say.

    `measures` are attribution and importance from `explain`; `genes` has the columns gene_id, gene_name, row;
    `expression`, (samples, genes), is log2(TPM + 1), `labels` are of its samples; `reference` is mean and standard
    deviation of log2(TPM + 1) over the model's studies; `differential` is from
    `scarceseq.own_study.differential.differential_genes`; `named` is the length of the lists that are compared.

    Columns: rank (by floored_attribution), gene_id, gene_name, floored_attribution (see `floored_shares`), attribution,
    permutation_importance, folds_at_the_top (share of the folds in which the gene is among the `named` first),
    highest_in (the class), log2_difference (of the means of that class and of the others), reference_tpm, reference_sd,
    silent_in_reference, differential_rank, differential_p_value (both missing where the gene was not tested). Genes
    that the study lacks are left out. The summary has what `agreement` gives, genes, named, silent (among the `named`
    first), silent_share (of all genes).
    """
    from scipy.stats import rankdata

    here = genes["row"].notna().to_numpy()
    attribution, importance = (measure[:, here] for measure in measures)
    level, scale = (np.asarray(values, dtype=float) for values in reference)
    floored = attribution * floored_shares(scale)[here]
    within = np.stack([rankdata(-row, "ordinal") <= named for row in floored]).mean(axis=0)
    highest, difference = highest_class(expression[:, here], np.asarray(labels))
    table = pd.DataFrame(
        {
            "rank": rankdata(-floored.mean(axis=0), "ordinal"),
            "gene_id": genes["gene_id"][here].to_numpy(),
            "gene_name": genes["gene_name"][here].to_numpy(),
            "floored_attribution": floored.mean(axis=0),
            "attribution": attribution.mean(axis=0),
            "permutation_importance": importance.mean(axis=0),
            "folds_at_the_top": within,
            "highest_in": highest,
            "log2_difference": difference,
            "reference_tpm": 2 ** level[here] - 1,
            "reference_sd": scale[here],
        }
    )
    table["silent_in_reference"] = table["reference_tpm"] < SILENT_TPM
    tested = differential.drop_duplicates("gene_name").set_index("gene_name")[["rank", "p_value"]]
    tested.columns = ["differential_rank", "differential_p_value"]
    table = table.join(tested, on="gene_name").sort_values("rank", ignore_index=True)
    table["differential_rank"] = table["differential_rank"].astype("Int64")
    first = table.head(named)
    summary = {"genes": len(table), "named": len(first), "silent": int(first["silent_in_reference"].sum())}
    summary |= {"silent_share": float(table["silent_in_reference"].mean())}
    return table, summary | agreement(table, named)


def highest_class(expression: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class in which each gene is highest, and by how much above the mean of the others."""
    classes = np.unique(labels)
    means = np.stack([expression[labels == name].mean(axis=0) for name in classes])
    rest = (means.sum(axis=0) - means.max(axis=0)) / (len(classes) - 1)
    return classes[means.argmax(axis=0)], means.max(axis=0) - rest


def agreement(table: pd.DataFrame, named: int) -> dict[str, Any]:
    """How far a list of genes agrees with differential expression, over the genes that both have.

    Gives compared (genes in both), compared_first (length of the lists), shared (genes in both of them),
    expected_by_chance, rank_correlation (Spearman's; None below three genes).
    """
    from scipy.stats import spearmanr

    both = table[table["differential_rank"].notna()]
    count = min(named, len(both))
    first, other = both.nsmallest(count, "rank"), both.nsmallest(count, "differential_rank")
    shared = len(first.index.intersection(other.index))
    summary: dict[str, Any] = {"compared": len(both), "compared_first": count, "shared": shared}
    summary |= {"expected_by_chance": count**2 / len(both) if count else 0.0, "rank_correlation": None}
    if len(both) > 2:
        ranks = both["differential_rank"].to_numpy(float)
        summary["rank_correlation"] = float(spearmanr(both["rank"].to_numpy(float), ranks)[0])
    return summary
