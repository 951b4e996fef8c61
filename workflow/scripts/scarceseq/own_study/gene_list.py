"""The genes that a decision rests on, over all folds, by two measures that are checked against each other."""

from collections.abc import Sequence
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

    The baseline is the middle between the classes of a fold's training samples.

    Parameters
    ----------
    samples : pandas.DataFrame
        From `scarceseq.own_study.sample_labels.labelled`.
    corpus : Corpus
    predict : callable
        Of a method that is trained by gradient.
    candidates : pandas.DataFrame
        repeat, fold, candidate, steps: what the folds chose.
    settings : FoldSettings
    options : dict
        ``path_points``, ``shuffles``.
    seed : int
        The same as of the predictions, so that folds and fits are.

    Returns
    -------
    attribution, importance : numpy.ndarray, (folds x repeats, genes)
        Means over the held-out samples of a fold.
    dict
        ``completeness_error``: see `explain_fold`.
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


def gene_table(
    attribution: np.ndarray,
    importance: np.ndarray,
    genes: pd.DataFrame,
    expression: np.ndarray,
    labels: Sequence[str],
    named: int,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Genes by attribution, and how far the other measure agrees.

    Parameters
    ----------
    attribution, importance : array, (folds, genes)
        From `explain`.
    genes : pandas.DataFrame
        gene_id, gene_name, row.
    expression : array, (samples, genes)
        log2(TPM + 1).
    labels : sequence of str
        Of the samples.
    named : int
        Length of the lists that are compared.

    Returns
    -------
    pandas.DataFrame
        rank, gene_id, gene_name, attribution, permutation_importance, permutation_rank, folds_at_the_top (share of the
        folds in which the gene is among the `named` first by attribution), highest_in (the class), log2_difference (of
        the means of that class and of the others), named_by_both. Genes that the study lacks are left out.
    dict
        genes, named, named_by_both, expected_by_chance, rank_correlation (Spearman's, of all genes).
    """
    from scipy.stats import rankdata, spearmanr

    here = genes["row"].notna().to_numpy()
    attribution, importance, expression = attribution[:, here], importance[:, here], expression[:, here]
    mean, other = attribution.mean(axis=0), importance.mean(axis=0)
    ranks, other_ranks = rankdata(-mean, "ordinal"), rankdata(-other, "ordinal")
    within = np.stack([rankdata(-row, "ordinal") <= named for row in attribution]).mean(axis=0)
    of_sample, classes = np.asarray(labels), np.unique(labels)
    means = np.stack([expression[of_sample == name].mean(axis=0) for name in classes])
    highest = means.argmax(axis=0)
    rest = (means.sum(axis=0) - means.max(axis=0)) / (len(classes) - 1)
    table = pd.DataFrame(
        {
            "rank": ranks,
            "gene_id": genes["gene_id"][here].to_numpy(),
            "gene_name": genes["gene_name"][here].to_numpy(),
            "attribution": mean,
            "permutation_importance": other,
            "permutation_rank": other_ranks,
            "folds_at_the_top": within,
            "highest_in": classes[highest],
            "log2_difference": means.max(axis=0) - rest,
            "named_by_both": (ranks <= named) & (other_ranks <= named),
        }
    ).sort_values("rank", ignore_index=True)
    summary = {
        "genes": len(table),
        "named": min(named, len(table)),
        "named_by_both": int(table["named_by_both"].sum()),
        "expected_by_chance": min(named, len(table)) ** 2 / len(table),
        "rank_correlation": float(spearmanr(mean, other)[0]),
    }
    return table, summary
