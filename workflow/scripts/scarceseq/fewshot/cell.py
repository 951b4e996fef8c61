"""Fitting one method to all episodes of one cell: tuning on validation episodes, then the test episodes."""

import logging

import numpy as np
import pandas as pd

from scarceseq.fewshot.checks import check_apart_from_training, check_episodes
from scarceseq.fewshot.estimating import estimator_predictor
from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.metrics import balanced_accuracy

COLUMNS = {
    "role": "object",
    "episode": "int64",
    "sample": "object",
    "label": "object",
    "predicted": "object",
    "probability": "float64",
    "support_study": "object",
    "query_study": "object",
    "candidate": "float64",
    "diverged": "bool",
    "seed": "int64",
}


def fit_cells(episodes, corpus, splits, base, method, guide, settings, seed):
    """Predictions of one method for the episodes of a task, each cell tuned by itself.

    Parameters
    ----------
    episodes : DataFrame
        From `scarceseq.fewshot.episodes.plan_task`, with the columns way and shot; may be empty.
    corpus : Corpus
        Of this base.
    splits : DataFrame
        Columns split, study, role.
    base : Base
        Pre-trained model.
    method : Gradient or Estimator
    guide : dict of str to Tensor, or None
        Guide by parameter name, for methods that need one.
    settings : FittingSettings
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        One row per query sample: way, shot, role, episode, sample, label, predicted, probability (of the true label),
        support_study, query_study, candidate, diverged, seed (of pre-training), and p_0, p_1, ... (probabilities of
        the classes in the order of their names, NA beyond the last class). Validation rows hold every candidate, test
        rows the chosen one. A fit that diverged to values that are not finite knows nothing: its probabilities are
        equal.
    """
    check_episodes(episodes)
    check_apart_from_training(episodes, splits, base)
    if isinstance(method, Gradient):  # what it takes to compile fits is imported where there are any
        from scarceseq.fewshot.fitting import gradient_predictor as make
    else:
        make = estimator_predictor
    predict = make(method, corpus, splits, base, guide, settings, seed)
    tables = []
    for (way, shot), cell in episodes.groupby(["way", "shot"], sort=True):
        arrays = [corpus.episode(part) for _, part in cell.groupby(["role", "episode"], sort=True)]
        table = fit_cell(arrays, predict, settings.candidates)
        tables.append(table.assign(way=way, shot=shot))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["way", "shot", *COLUMNS])
    table = table.assign(seed=base.information["seed"]).astype({"way": "int64", "shot": "int64"} | COLUMNS)
    return table[["way", "shot", *table.columns.drop(["way", "shot"])]]


def fit_cell(episodes, predict, candidates):
    """Rows of one cell.

    Parameters
    ----------
    episodes : list of Episode
    predict : callable (episodes, candidates) -> list over candidates of lists over episodes of probabilities
    candidates : list of float
    """
    validation, test = ([e for e in episodes if e.role == role] for role in ("validation", "test"))
    tried = [
        [_rows(episode, probabilities, candidate) for episode, probabilities in zip(validation, found, strict=True)]
        for candidate, found in zip(candidates, predict(validation, candidates) if validation else [], strict=False)
    ]
    best = _choose(candidates, tried)
    rows = [frame for frames in tried for frame in frames]
    rows += [_rows(e, probabilities, best) for e, probabilities in zip(test, predict(test, [best])[0], strict=True)]
    return pd.concat(rows, ignore_index=True)


def _choose(candidates, tried):
    """The candidate of highest mean balanced accuracy on the validation episodes; the first of equals, or of all."""
    if not tried:
        logging.getLogger(__name__).info("no validation episodes: the first candidate, %s, is used", candidates[0])
        return candidates[0]
    means = [float(np.mean([balanced_accuracy(f["label"], f["predicted"]) for f in frames])) for frames in tried]
    best = candidates[int(np.argmax(means))]
    listed = ", ".join(f"{candidate}: {mean:.3f}" for candidate, mean in zip(candidates, means, strict=True))
    logging.getLogger(__name__).info("balanced accuracy on validation episodes: %s; %s is used", listed, best)
    return best


def _rows(episode, probabilities, candidate):
    """Prediction rows of one episode; of a fit that diverged, equal probabilities (and so chance)."""
    diverged = not np.isfinite(probabilities).all()
    if diverged:
        logging.getLogger(__name__).warning(
            "%s episode %d: the fit with candidate %g diverged", episode.role, episode.number, candidate
        )
        probabilities = np.full_like(probabilities, 1 / len(episode.classes))
    labels = np.array(episode.classes, dtype=object)
    table = pd.DataFrame(
        {
            "role": episode.role,
            "episode": episode.number,
            "sample": episode.query_samples,
            "label": labels[episode.query_classes],
            "predicted": labels[probabilities.argmax(axis=1)],
            "probability": probabilities[np.arange(len(probabilities)), episode.query_classes],
            "support_study": episode.support_study,
            "query_study": episode.query_study,
            "candidate": float(candidate),
            "diverged": diverged,
        }
    )
    return table.assign(**{f"p_{c}": probabilities[:, c] for c in range(probabilities.shape[1])})
