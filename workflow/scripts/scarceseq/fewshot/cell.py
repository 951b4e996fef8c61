"""Fitting methods to all episodes of one cell: tuning on validation episodes, then the test episodes."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scarceseq.fewshot.corpus import Episodes
from scarceseq.fewshot.engine.starts import with_encoder
from scarceseq.fewshot.method import Candidate, FineTuning, Source
from scarceseq.fewshot.metrics import balanced_accuracy, log_loss
from scarceseq.fewshot.refusals import check_apart_from_training, check_episodes
from scarceseq.seeds import derive

if TYPE_CHECKING:
    import torch

    from scarceseq.fewshot.corpus import Corpus, Episode
    from scarceseq.fewshot.method import Estimator
    from scarceseq.fewshot.settings import FittingSettings
    from scarceseq.pretrain.model import Base


COLUMNS = dict(method="object", way="object", shot="int64", role="object", episode="int64", sample="object")
COLUMNS |= dict(label="object", predicted="object", probability="float64", support_study="object", query_study="object")
COLUMNS |= dict(candidate="object", steps="int64", diverged="bool", seed="int64")
CURVE_COLUMNS = dict(method="object", way="object", shot="int64", episode="int64", study="object", seed="int64")
CURVE_COLUMNS |= dict(candidate="float64", steps="int64", balanced_accuracy="float64", log_loss="float64")
# From episodes and candidates to probabilities, (queries, classes), by candidate and episode.
Predict = Callable[..., list[list[np.ndarray]]]


def fit_cell(
    episodes: Episodes,
    corpus: "Corpus",
    splits: pd.DataFrame,
    base: "Base",
    methods: Mapping[str, Any],
    settings: "FittingSettings",
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions of some methods for the episodes of one cell, each method tuned by itself.

    `episodes`, which may be empty, are from `scarceseq.fewshot.episodes.plan_cell`, and `corpus` is of this base;
    `splits` has the columns split, study, role. `methods` gives by name the method, the guide by parameter name if it
    needs one, and its candidates; those of `settings` are not used. `seed` is the run's.

    The first table has a row per query sample: method, way, shot, role, episode, sample, label, predicted, probability
    (of the true label), support_study, query_study, candidate (as text), steps, diverged, seed (of pre-training), p_0,
    p_1, ... (probabilities of the classes in the order of their names, NA beyond the last class). Validation rows hold
    every candidate, test rows the chosen one. A fit that diverged to values that are not finite knows nothing: its
    probabilities are equal. The second has `CURVE_COLUMNS`: the query of some test episodes after fewer and more steps,
    for methods that are trained by gradient. Nothing is chosen by it.
    """
    check_episodes(episodes)
    check_apart_from_training(episodes, splits, base)
    validation, test = (Episodes(episodes[episodes["role"] == role], corpus) for role in ("validation", "test"))
    tables, curves = [], []
    for name, (method, guide, candidates) in methods.items():
        predict = make_predictor(method, guide, candidates, corpus, splits, base, settings, seed)
        if len(test):
            rows, best = fit_method(name, validation, test, predict, candidates)
            tables.append(rows.assign(method=name))
            curves += [row | dict(method=name) for row in _curve(test, predict, best, settings)]
    place = dict(seed=base.information["seed"])
    if len(episodes):
        place |= dict(way=episodes["way"].iloc[0], shot=episodes["shot"].iloc[0])
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))
    table = table.assign(**place).astype(COLUMNS)
    curve = pd.DataFrame(curves, columns=list(CURVE_COLUMNS)).assign(**place).astype(CURVE_COLUMNS)
    return table[[*COLUMNS, *table.columns.drop(list(COLUMNS))]], curve


def make_predictor(
    method: "FineTuning | Estimator",
    learned: "dict[str, torch.Tensor] | None",
    candidates: list[Candidate],
    corpus: "Corpus",
    splits: pd.DataFrame,
    base: "Base",
    settings: "FittingSettings",
    seed: int,
) -> Predict:
    """What predicts episodes by a method.

    `learned` is the method's guide, or what else was learned on other studies; the rest is as for `fit_cell`.
    """
    start = with_encoder(base, learned) if method.learned_encoder else base
    rates = None if method.learned_encoder else learned
    if isinstance(method, FineTuning):  # what it takes to compile fits is imported where there are any
        from scarceseq.fewshot.engine.fitting import gradient_predictor

        with_candidates = replace(settings, candidates=candidates)
        return gradient_predictor(method, corpus, splits, start, rates, with_candidates, seed)
    return _estimator_predictor(method, corpus, splits, start, settings, seed)


def _estimator_predictor(
    method: "Estimator",
    corpus: "Corpus",
    splits: pd.DataFrame,
    base: "Base",
    settings: "FittingSettings",
    seed: int,
) -> Predict:
    """What predicts by a method that is not trained by gradient."""
    key = method.prepare, settings.pca_components, seed, id(base)
    if key not in corpus.features:  # methods that see the same features share them
        source = Source(base, None, settings, derive(seed, "features"))
        if method.reference:
            reference = corpus.reference(splits, settings.reference_samples, seed)
            studies, labels = corpus.reference_origin()
            source = replace(source, reference=reference, studies=studies, labels=labels)
        corpus.features[key] = method.prepare(source)
    features = corpus.features[key]

    def predict(episodes: Sequence["Episode"], candidates: list[Candidate]) -> list[list[np.ndarray]]:
        results: list[list[np.ndarray]] = [[] for _ in candidates]
        for episode in episodes:
            support, query = features(episode.support), features(episode.query)
            classes, fit_seed = episode.support_classes, derive(episode.seed, "estimator")
            for candidate, result in zip(candidates, results, strict=True):
                result.append(method.probabilities(support, classes, query, candidate.value, fit_seed))
        return results

    return predict


def fit_method(
    name: str, validation: Episodes, test: Episodes, predict: Predict, candidates: list[Candidate]
) -> tuple[pd.DataFrame, Candidate]:
    """Rows of one method, and the candidate that it was tested with; `predict` is from `make_predictor`."""
    predicted = predict(validation, candidates) if len(validation) else []
    tried = [_tables(validation, *both) for both in zip(predicted, candidates, strict=False)]
    best = _choose(name, candidates, tried)
    rows = [frame for frames in tried for frame in frames] + _tables(test, predict(test, [best])[0], best)
    lost = sum(bool(frame["diverged"].iloc[0]) for frame in rows[-len(test) :]) if len(test) else 0
    if lost:
        logging.getLogger(__name__).warning("%s: %d of %d test fits diverged", name, lost, len(test))
    return pd.concat(rows, ignore_index=True), best


def _curve(
    test: Episodes, predict: Predict, candidate: Candidate, settings: "FittingSettings"
) -> Iterator[dict[str, Any]]:
    """How the query of the first test episodes is predicted after each number of steps."""
    along = getattr(predict, "along", None)
    if along is None:
        return
    for episode in test[: settings.curve_episodes]:
        for steps, probabilities in zip(settings.curve_steps, along(episode, candidate), strict=True):
            rows = _rows(episode, probabilities, candidate)
            yield dict(
                episode=episode.number,
                study=episode.query_study,
                candidate=float(candidate.value),
                steps=steps,
                balanced_accuracy=balanced_accuracy(rows["label"], rows["predicted"]),
                log_loss=log_loss(rows["probability"]),
            )


def _choose(name: str, candidates: list[Candidate], tried: list[list[pd.DataFrame]]) -> Candidate:
    """The candidate that is used: of those that diverged on fewest validation episodes, that of highest mean balanced
    accuracy; the first of equals, and of all if nothing was tried. A fit that diverged is chance, which may beat an
    honest one: candidates that diverge come last."""
    log = logging.getLogger(__name__)
    if not tried:
        log.info("%s: no validation episodes, the first candidate, %s, is used", name, _described(candidates[0]))
        return candidates[0]
    means = [float(np.mean([balanced_accuracy(f["label"], f["predicted"]) for f in frames])) for frames in tried]
    lost = [sum(bool(frame["diverged"].iloc[0]) for frame in frames) for frames in tried]
    best = candidates[min(range(len(candidates)), key=lambda place: (lost[place], -means[place]))]
    listed = ", ".join(
        f"{_described(candidate)}: {mean:.3f}" + (f" ({bad} of {len(frames)} diverged)" if bad else "")
        for candidate, mean, bad, frames in zip(candidates, means, lost, tried, strict=True)
    )
    log.info("%s: balanced accuracy on validation episodes: %s; %s is used", name, listed, _described(best))
    return best


def _described(candidate: Candidate) -> str:
    value = candidate.value if isinstance(candidate.value, str) else f"{candidate.value:g}"
    return value + (f" for {candidate.steps} steps" if candidate.steps else "")


def _tables(episodes: Episodes, probabilities: list[np.ndarray], candidate: Candidate) -> list[pd.DataFrame]:
    return [_rows(episode, values, candidate) for episode, values in zip(episodes, probabilities, strict=True)]


def _rows(episode: "Episode", probabilities: np.ndarray, candidate: Candidate) -> pd.DataFrame:
    """Prediction rows of one episode; of a fit that diverged, equal probabilities (and so chance)."""
    diverged = not np.isfinite(probabilities).all()
    if diverged:
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
            "candidate": candidate.text,
            "steps": candidate.steps,
            "diverged": diverged,
        }
    )
    return table.assign(**{f"p_{c}": probabilities[:, c] for c in range(probabilities.shape[1])})
