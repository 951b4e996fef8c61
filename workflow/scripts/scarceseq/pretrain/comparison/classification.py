"""Does pre-training help? Linear classifiers of held-out studies, on the frozen embedding and on simpler features."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from scarceseq.pretrain.comparison.contrasts import FLOORS
from scarceseq.pretrain.comparison.representations import REPRESENTATIONS, SEEDED
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.samples import LabelledMatrix
from scarceseq.pretrain.settings import ComparisonSettings, ComparisonTask
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

COLUMNS = ["method", "seed", "study", "repeat", "fold", "value", "training_samples", "test_samples", "candidate"]
Division = tuple[int, int, np.ndarray, np.ndarray]
"""repeat, fold, training and test samples, by their places in the labelled ones."""


@dataclass(frozen=True)
class Labelled:
    """Labelled samples of one role; all arrays are (samples,)."""

    rows: np.ndarray  # rows of the training matrix
    labels: np.ndarray
    studies: np.ndarray
    groups: np.ndarray


def labelled_samples(matrix: LabelledMatrix, task: ComparisonTask, role: str) -> Labelled:
    """Samples of a role with a label that is a class; without a group, each is its own."""
    rows = matrix.rows([role])
    given = matrix.attributes[task.label][rows]
    rows = rows[np.isin(given, list(task.classes)) if task.classes else given != ""]
    groups = matrix.samples[rows]
    if task.group:
        given = matrix.attributes[task.group][rows]
        groups = np.where(given == "", groups, given)
    return Labelled(rows, matrix.attributes[task.label][rows], matrix.studies[rows], groups)


def draw_samples(data: Labelled, most: int, seed: int) -> Labelled:
    """At most so many samples, drawn by turns from each class of each study, so that small studies stay whole."""
    if len(data.rows) <= most:
        return data
    order = np.random.default_rng(seed).permutation(len(data.rows))
    drawn = pd.DataFrame({"study": data.studies[order], "label": data.labels[order]})
    turns = drawn.groupby(["study", "label"]).cumcount().to_numpy()
    chosen = np.sort(order[np.argsort(turns, kind="stable")[:most]])
    return Labelled(data.rows[chosen], data.labels[chosen], data.studies[chosen], data.groups[chosen])


def divisions(data: Labelled, task: ComparisonTask, settings: ComparisonSettings, seed: int) -> list[Division]:
    """Training and test samples of each division.

    Across studies, studies are divided; within, the samples of each study that has two classes, as evenly over classes
    as its groups allow.
    """
    divided = []
    for repeat in range(settings.repeats):
        if task.protocol == "cross_study":
            studies = np.unique(data.studies)
            order = np.random.default_rng(derive(seed, repeat)).permutation(len(studies))
            for fold in range(min(settings.folds, len(studies))):
                test = np.isin(data.studies, studies[order[fold :: settings.folds]])
                divided.append((repeat, fold, np.flatnonzero(~test), np.flatnonzero(test)))
            continue
        for study in np.unique(data.studies):
            rows = np.flatnonzero(data.studies == study)
            rows = rows[_frequent(data.labels[rows], data.groups[rows])]
            if len(np.unique(data.labels[rows])) < 2:
                continue
            labels, groups = data.labels[rows], data.groups[rows]
            smallest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
            state = derive(seed, repeat, study) % 2**32
            cut = StratifiedGroupKFold(min(settings.folds, smallest), shuffle=True, random_state=state)
            pairs = cut.split(rows, labels, groups)
            divided += [(repeat, fold, rows[train], rows[test]) for fold, (train, test) in enumerate(pairs)]
    return divided


def _frequent(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Whether each label is that of at least two groups, so that it can be trained and tested on."""
    enough = [label for label in np.unique(labels) if len(np.unique(groups[labels == label])) >= 2]
    return np.isin(labels, enough)


def scores(
    features: np.ndarray, data: Labelled, folds: list[Division], inverse_penalties: Sequence[float]
) -> list[list[dict[str, Any]]]:
    """Balanced accuracy in each test study of each division, over the classes that were trained on.

    A study with fewer than two such classes is left out: there, guessing would be right. Gives for each penalty
    dictionaries of study, repeat, fold, value, training_samples, test_samples.
    """
    tables: list[list[dict[str, Any]]] = [[] for _ in inverse_penalties]
    for repeat, fold, train, test, kept in scored(data, folds):
        training, queries = spanned(features[train], features[test])
        for rows, penalty in zip(tables, inverse_penalties, strict=True):
            predicted = predict(training, data.labels[train], queries, penalty)
            for study in kept:
                of_study = data.studies[test] == study
                value = balanced_accuracy(data.labels[test][of_study], predicted[of_study])
                place = {"study": study, "repeat": repeat, "fold": fold, "value": value}
                rows.append(place | {"training_samples": len(train), "test_samples": int(of_study.sum())})
    return tables


def scored(data: Labelled, folds: list[Division]) -> Iterator[tuple[int, int, np.ndarray, np.ndarray, list[str]]]:
    """The divisions that can be scored: test samples of classes trained on, and the studies with two such classes."""
    for repeat, fold, train, test in folds:
        test = test[np.isin(data.labels[test], data.labels[train])]
        kept = [s for s in np.unique(data.studies[test]) if len(set(data.labels[test][data.studies[test] == s])) > 1]
        if kept and len(set(data.labels[train])) > 1:
            yield repeat, fold, train, test, kept


def spanned(training: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as coordinates in the space that the training samples span, if there are more features than samples.

    The solution of a regression with a squared penalty lies in it.
    """
    if training.shape[1] <= len(training):
        return training, test
    centre = training.mean(axis=0)
    axes = np.linalg.svd(training - centre, full_matrices=False)[2]
    return (training - centre) @ axes.T, (test - centre) @ axes.T


def predict(training: np.ndarray, labels: np.ndarray, test: np.ndarray, inverse_penalty: float) -> np.ndarray:
    """Labels by multinomial logistic regression with a squared penalty."""
    return LogisticRegression(C=inverse_penalty, max_iter=500).fit(training, labels).predict(test)


def why_not(data: Labelled, folds: list[Division], task: ComparisonTask) -> str:
    """Why no test study can be scored; empty if one can."""
    if next(scored(data, folds), None) is not None:
        return ""
    classes, studies = len(np.unique(data.labels)), len(np.unique(data.studies))
    if classes < 2 or (studies < 2 and task.protocol == "cross_study"):
        return (
            f"the test studies of split '{task.split}' with a value of '{task.label}' that counts are {studies}, the "
            f"classes {classes}; two of each are needed"
        )
    return f"no test study of split '{task.split}' has two classes of '{task.label}' that others have too"


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Mean over the classes of the share of their samples that are predicted right."""
    return float(np.mean([(predicted[labels == label] == label).mean() for label in np.unique(labels)]))


def score_representations(
    matrix: LabelledMatrix, bases: dict[int, Base], task: ComparisonTask, settings: ComparisonSettings, run_seed: int
) -> tuple[pd.DataFrame, str]:
    """Scores of every method on the test studies.

    Each method tries its two forms of features with every penalty on the validation studies, divided as the test
    studies are; the best mean over studies is used, the first of equals, or the first of all without such studies.
    `bases` are by pre-training seed; what does not depend on the seed is fitted on the rows of the first.

    Gives `COLUMNS`, and why no test study can be scored or which share of the labelled samples was drawn, else an empty
    text. seed is that of pre-training, the first where a method has none. The floors are ``majority``, the most
    frequent class of the training samples, and ``study_identity``, a classifier that sees the study alone. Without a
    test study that can be scored the table is empty.
    """
    seed = derive(run_seed, "comparison", task.split, task.label)
    every = {role: labelled_samples(matrix, task, role) for role in ("test", "validation")}
    test, validation = (
        draw_samples(data, settings.most_samples, derive(seed, "samples", role)) for role, data in every.items()
    )
    folds = divisions(test, task, settings, derive(seed, "test"))
    if reason := why_not(test, folds, task):
        logger.warning("'%s' cannot be compared, because %s", task.label, reason)
        return pd.DataFrame(columns=COLUMNS), reason
    tuning = divisions(validation, task, settings, derive(seed, "validation"))
    first = next(iter(bases))
    tables = [_floor(name, test, folds, first) for name in FLOORS]
    for base_seed, base in bases.items():
        trained = np.isin(matrix.studies, base.information["training_studies"])

        def read(rows: np.ndarray, base: Base = base) -> np.ndarray:
            return base.standardise(matrix.expression[rows]).cpu().numpy().astype(np.float64)

        values = read(np.concatenate([test.rows, validation.rows]))
        for method, represent in REPRESENTATIONS.items():
            if method not in SEEDED and base_seed != first:
                continue
            forms = represent(base, values, read, np.flatnonzero(trained), seed)
            form, penalty = _choose(method, forms, validation, len(test.rows), tuning, settings)
            table = pd.DataFrame(scores(forms[form][: len(test.rows)], test, folds, [penalty])[0])
            tables.append(table.assign(method=method, seed=base_seed, candidate=f"form {form + 1}, C = {penalty:g}"))
    return pd.concat(tables, ignore_index=True).reindex(columns=COLUMNS), drawn_of(every, settings.most_samples)


def drawn_of(every: dict[str, Labelled], most: int) -> str:
    """How many of the labelled samples of each role were drawn; empty if all were taken."""
    return ", ".join(
        f"{most:,} of {len(data.rows):,} labelled {role} samples were drawn"
        for role, data in every.items()
        if len(data.rows) > most
    )


def _choose(
    method: str,
    forms: list[np.ndarray],
    validation: Labelled,
    start: int,
    tuning: list[Division],
    settings: ComparisonSettings,
) -> tuple[int, float]:
    """(form, inverse penalty) of the highest mean over validation studies; the first candidate without any."""
    candidates = [(form, penalty) for penalty in settings.penalties for form in range(len(forms))]
    of_form = [scores(features[start:], validation, tuning, settings.penalties) for features in forms]
    values = []
    for form, penalty in candidates:
        table = pd.DataFrame(of_form[form][list(settings.penalties).index(penalty)])
        values.append(table.groupby("study")["value"].mean().mean() if len(table) else np.nan)
    if np.isnan(values).all():
        return candidates[0]
    best = int(np.nanargmax(values))
    form, penalty = candidates[best]
    logger.info("%s: form %d, C = %g; validation %.3f", method, form + 1, penalty, values[best])
    return form, penalty


def _floor(name: str, data: Labelled, folds: list[Division], seed: int) -> pd.DataFrame:
    """Scores of a classifier that sees nothing (`majority`) or which study a sample is of (`study_identity`)."""
    studies = np.unique(data.studies)
    features = (data.studies[:, None] == studies).astype(np.float64) * (name == "study_identity")
    return pd.DataFrame(scores(features, data, folds, [1.0])[0]).assign(method=name, seed=seed, candidate="")
