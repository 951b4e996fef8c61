"""The best classifier of each training set, chosen within it, and what it predicts of samples that it did not see."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from scarceseq.fewshot.metrics import log_loss
from scarceseq.own_study.candidates import CANDIDATES
from scarceseq.own_study.choice import Choice, choose, default_choice, probabilities_of
from scarceseq.own_study.folds import divided, inner_divided
from scarceseq.own_study.names import BEST, BEST_OF_COUNTS, of_counts
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import StudyValues, TrainingSet
from scarceseq.seeds import derive


@dataclass(frozen=True)
class Prediction:
    """Probabilities of the classes by method, (samples, classes), and what was chosen as best."""

    probabilities: dict[str, np.ndarray]
    choice: Choice


def predict(
    values: StudyValues,
    samples: pd.DataFrame,
    train: np.ndarray,
    test: np.ndarray,
    candidates: list[str],
    settings: FoldSettings,
    inner_seed: int,
) -> Prediction:
    """Probabilities of test samples by each candidate and by the best of them, all chosen within the training samples.

    The first rows of `values` are `samples` (label, group); `train` and `test` are rows of it, and those of `train`
    have labels, of every class. Candidates are of `scarceseq.own_study.candidates.CANDIDATES`.
    """
    classes = sorted(samples["label"].iloc[train].unique())
    codes = samples["label"].iloc[train].map({name: code for code, name in enumerate(classes)}).to_numpy()
    pairs = inner_divided(samples.iloc[train], settings.inner_folds, inner_seed)
    outer = TrainingSet(values, train, test, codes)
    scores = {name: CANDIDATES[name](outer) for name in candidates}
    inner = {name: np.empty((len(scores[name]), len(train), len(classes))) for name in candidates}
    for learned, left in pairs:
        within = TrainingSet(values, train[learned], train[left], codes[learned])
        for name in candidates:
            inner[name][:, left] = CANDIDATES[name](within)
    choose_among = partial(_choice, inner if pairs else None, codes)
    choice = choose_among(candidates)
    by_name = probabilities_of(choice, scores, len(train))
    made, narrower = {BEST: by_name[choice.name]}, of_counts(candidates)
    if narrower != candidates:
        without = choose_among(narrower)
        made[BEST_OF_COUNTS] = probabilities_of(without, scores, len(train))[without.name]
    return Prediction(made | by_name, choice)


def _choice(inner: dict[str, np.ndarray] | None, codes: np.ndarray, names: list[str]) -> Choice:
    """The choice among some candidates, by their inner cross-validation or, where there can be none, by default."""
    return default_choice(names) if inner is None else choose({name: inner[name] for name in names}, codes)


def nested_predictions(
    values: StudyValues, samples: pd.DataFrame, candidates: list[str], settings: FoldSettings, repeat: int, seed: int
) -> pd.DataFrame:
    """Predictions of each sample by fits and choices that did not see it, one repeat.

    A row for each method (`BEST`, `BEST_OF_COUNTS` where others see a model, the candidates, their average) and sample,
    in the columns of `scarceseq.own_study.cross_validation.cross_validate`; ``candidate`` is what was chosen.
    """
    classes = sorted(samples["label"].unique())
    tables = []
    for fold, (train, test) in enumerate(divided(samples, settings.folds, derive(seed, "folds", repeat))):
        inner_seed = derive(seed, "inner folds", repeat, fold)
        prediction = predict(values, samples, train, test, candidates, settings, inner_seed)
        labels = samples["label"].iloc[test].to_numpy()
        codes = np.array([classes.index(label) for label in labels])
        for method, probabilities in prediction.probabilities.items():
            columns = {"method": method, "repeat": repeat, "fold": fold, "sample": samples["sample"].iloc[test]}
            columns |= {"label": labels, "predicted": np.array(classes)[probabilities.argmax(axis=1)]}
            columns |= {"probability": probabilities[np.arange(len(test)), codes], "steps": 0, "diverged": False}
            columns |= {"candidate": prediction.choice.name if method == BEST else ""}
            columns |= {"temperature": prediction.choice.temperatures.get(method, 1.0)}
            for kind in ("p", "raw"):
                columns |= {f"{kind}_{code}": probabilities[:, code] for code in range(len(classes))}
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def best_scores(
    values: StudyValues, samples: pd.DataFrame, candidates: list[str], settings: FoldSettings, seed: int
) -> tuple[float, float]:
    """Balanced accuracy and log loss of the best classifier in the first repeat: the whole procedure, once."""
    classes = np.array(sorted(samples["label"].unique()))
    labels = samples["label"].to_numpy()
    probabilities = np.full((len(samples), len(classes)), np.nan)
    for fold, (train, test) in enumerate(divided(samples, settings.folds, derive(seed, "folds", 0))):
        inner_seed = derive(seed, "inner folds", 0, fold)
        made = predict(values, samples, train, test, candidates, settings, inner_seed)
        probabilities[test] = made.probabilities[BEST]
    codes = np.searchsorted(classes, labels)
    tested = ~np.isnan(probabilities[:, 0])
    right = probabilities.argmax(axis=1) == codes
    accuracy = np.mean([right[tested & (codes == code)].mean() for code in np.unique(codes[tested])])
    return float(accuracy), log_loss(probabilities[tested, codes[tested]])
