"""How well a predictor, and the choice among several, foresee perturbations that they did not see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scarceseq import registry

STRATA = (
    (0.2, "near a measured gene (similarity 0.2 or more)"),
    (1e-9, "far (below 0.2)"),
    (-1.0, "unlike all measured"),
)
DRAWS = 2000


@dataclass(frozen=True)
class Task:
    """A screen to learn from.

    `delta`, (perturbations, columns): differences to control. `counted`, of the same shape: False where the column is
    the perturbed gene itself. `similarity`, (perturbations, perturbations): mean kernel without its constant.
    `features`: what each predictor prepared; the perturbations of the screen are its first rows.
    """

    delta: np.ndarray
    counted: np.ndarray
    similarity: np.ndarray
    features: Mapping[str, Any]

    def fit(self, name: str, rows: np.ndarray) -> Any:
        """Model of a predictor on some perturbations."""
        return registry.load("perturbation.predictors", name).fit(self.delta[rows], rows, self.features[name])

    def errors(self, predicted: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Mean squared error of each of some perturbations."""
        squared = np.where(self.counted[rows], (predicted - self.delta[rows]) ** 2, 0)
        return squared.sum(axis=1) / np.maximum(self.counted[rows].sum(axis=1), 1)


def folds_of(count: int, folds: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Disjoint folds at random."""
    return [np.sort(fold) for fold in np.array_split(generator.permutation(count), min(folds, count))]


def cross_errors(task: Task, name: str, rows: np.ndarray, folds: Sequence[np.ndarray]) -> np.ndarray:
    """Error of each of `rows`, predicted from the other folds (positions among `rows`)."""
    errors, predictor = np.empty(len(rows)), registry.load("perturbation.predictors", name)
    for fold in folds:
        train = np.delete(rows, fold)
        errors[fold] = task.errors(predictor.predict(task.fit(name, train), rows[fold]), rows[fold])
    return errors


def best(task: Task, names: Sequence[str], rows: np.ndarray, folds: Sequence[np.ndarray]) -> str:
    """Predictor with the least summed error; the first named of equals."""
    return min(names, key=lambda name: cross_errors(task, name, rows, folds).sum())


def held_out(task: Task, names: Sequence[str], folds: int, generator: np.random.Generator) -> pd.DataFrame:
    """Each perturbation predicted by the predictor chosen without it, and by the mean effect.

    The choice is made anew for each fold, by folds of the others: what is judged is the whole procedure. A row per
    perturbation: chosen, error, mean_error, similarity (largest to a perturbation that was learned from), stratum,
    within_95 (share of columns within 1.96 predicted standard deviations of a measurement; NaN if the predictor gives
    none).
    """
    everyone = np.arange(len(task.delta))
    table = pd.DataFrame(index=everyone, columns=["error", "mean_error", "similarity", "within_95"], dtype=float)
    table["chosen"] = ""
    for fold in folds_of(len(everyone), folds, generator):
        train = np.delete(everyone, fold)
        name = best(task, names, train, folds_of(len(train), folds, generator))
        predictor, model = registry.load("perturbation.predictors", name), task.fit(name, train)
        predicted = predictor.predict(model, fold)
        mean = np.broadcast_to(task.delta[train].mean(axis=0), predicted.shape)
        table.loc[fold, "chosen"] = name
        table.loc[fold, "error"] = task.errors(predicted, fold)
        table.loc[fold, "mean_error"] = task.errors(mean, fold)
        table.loc[fold, "similarity"] = task.similarity[np.ix_(fold, train)].max(axis=1)
        if hasattr(predictor, "deviation"):
            spread = np.sqrt(predictor.deviation(model, fold) ** 2 + model.noise * model.amplitude)
            inside = (np.abs(predicted - task.delta[fold]) <= 1.96 * spread) & task.counted[fold]
            table.loc[fold, "within_95"] = inside.sum(axis=1) / np.maximum(task.counted[fold].sum(axis=1), 1)
    table["stratum"] = [stratum(value) for value in table["similarity"]]
    return table


def stratum(similarity: float) -> str:
    """How near a gene is to what was measured, in words."""
    return next(name for least, name in STRATA if similarity >= least)


def accuracy(table: pd.DataFrame, confidence: float, generator: np.random.Generator) -> pd.DataFrame:
    """Error relative to that of the mean effect, of all perturbations and by stratum.

    Intervals are percentiles over resampled perturbations; below ten perturbations there is none. Columns: stratum,
    perturbations, relative_error (1: as the mean effect), low, high, within_95.
    """
    groups = [("all", table)] + [(name, table[table["stratum"] == name]) for _, name in STRATA]
    rows = []
    for name, group in groups:
        if not len(group):
            continue
        error, mean = group["error"].to_numpy(), group["mean_error"].to_numpy()
        low = high = np.nan
        if len(group) >= 10:
            drawn = generator.integers(len(group), size=(DRAWS, len(group)))
            ratios = error[drawn].sum(axis=1) / mean[drawn].sum(axis=1)
            low, high = np.percentile(ratios, [50 * (1 - confidence), 50 * (1 + confidence)])
        rows.append((name, len(group), error.sum() / mean.sum(), low, high, group["within_95"].mean()))
    return pd.DataFrame(rows, columns=["stratum", "perturbations", "relative_error", "low", "high", "within_95"])
