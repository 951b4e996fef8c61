"""Fitting one method to all episodes of one cell: tuning on validation episodes, then the test episodes."""

import logging

import numpy as np
import pandas as pd
import torch

from scarceseq.fewshot.checks import check_apart_from_training, check_episodes, check_guide
from scarceseq.fewshot.engine import Schedule, fit, make_triple, predict
from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.metrics import balanced_accuracy
from scarceseq.seeds import derive

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


def fit_cell(episodes, corpus, splits, base, method, guide, settings, seed):
    """Predictions of one method for the episodes of one cell.

    Parameters
    ----------
    episodes : DataFrame
        From `scarceseq.fewshot.episodes.plan_cell`; may be empty.
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
        One row per query sample: role, episode, sample, label, predicted, probability (of the true label),
        support_study, query_study, candidate, diverged, seed (of pre-training), and p_0, p_1, ... (probabilities of
        the classes in the order of their names). Validation rows hold every candidate, test rows the chosen one. A fit
        that diverged to values that are not finite knows nothing: its probabilities are equal.
    """
    check_episodes(episodes)
    check_apart_from_training(episodes, splits, base)
    arrays = [corpus.episode(part) for _, part in episodes.groupby(["role", "episode"], sort=True)]
    validation, test = ([e for e in arrays if e.role == role] for role in ("validation", "test"))
    candidates = settings.candidates[method.candidates]
    rows = []
    if test:
        predictor = _gradient_predictor if isinstance(method, Gradient) else _estimator_predictor
        probabilities = predictor(method, corpus, splits, base, guide, settings, seed)
        tried = [[_rows(e, probabilities(e, c), c) for e in validation] for c in candidates]
        best = _choose(candidates, tried)
        rows = [frame for frames in tried for frame in frames]
        rows += [_rows(episode, probabilities(episode, best), best) for episode in test]
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(COLUMNS))
    return table.assign(seed=base.information["seed"]).astype(COLUMNS)


def _choose(candidates, tried):
    """The candidate of highest mean balanced accuracy on the validation episodes; the first of equals, or of all."""
    if not tried[0]:
        logging.getLogger(__name__).info("no validation episodes: the first candidate, %s, is used", candidates[0])
        return candidates[0]
    means = [float(np.mean([balanced_accuracy(f["label"], f["predicted"]) for f in frames])) for frames in tried]
    best = candidates[int(np.argmax(means))]
    listed = ", ".join(f"{candidate}: {mean:.3f}" for candidate, mean in zip(candidates, means, strict=True))
    logging.getLogger(__name__).info("balanced accuracy on validation episodes: %s; %s is used", listed, best)
    return best


def _gradient_predictor(method, corpus, splits, base, guide, settings, seed):
    """Function (episode, learning rate) -> probabilities, (queries, classes), of a gradient-trained method."""
    encoder = {f"encoder.{name}": weight for name, weight in base.network.encoder.named_parameters()}
    if method.guide is not None:
        check_guide(guide, encoder, f"{method.guide}.safetensors")
    rate = method.rate(encoder, guide, derive(seed, "rate"))
    precision = method.precision(encoder)

    def probabilities(episode, candidate):
        classifier = method.start(base, len(episode.classes), derive(episode.seed, "start"))
        triple = make_triple(classifier, rate, precision)
        device = base.mean.device
        support, query = (torch.from_numpy(part).to(device) for part in (episode.support, episode.query))
        classes = torch.from_numpy(episode.support_classes).to(device)
        weights = fit(classifier, triple, support, classes, Schedule(candidate, settings.momentum, settings.steps))
        return predict(classifier, weights, query).cpu().numpy()

    return probabilities


def _estimator_predictor(method, corpus, splits, base, guide, settings, seed):
    """Function (episode, candidate) -> probabilities, (queries, classes), of any other method."""
    reference = corpus.reference(splits) if method.reference else None
    features = method.prepare(base, reference, settings, derive(seed, "features"))

    def probabilities(episode, candidate):
        return method.probabilities(
            features(episode.support), episode.support_classes, features(episode.query), candidate
        )

    return probabilities


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
