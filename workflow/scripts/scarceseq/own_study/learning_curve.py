"""How well the best classifier does with fewer training samples, and what the curve says of more."""

from functools import partial

import numpy as np
import pandas as pd

from scarceseq.fewshot.metrics import balanced_accuracy, log_loss
from scarceseq.own_study.names import BEST
from scarceseq.own_study.nested import predict
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import StudyValues
from scarceseq.own_study.unfinished import Unfinished
from scarceseq.progress import follow
from scarceseq.seeds import derive

DRAWS = 12
LEAST_GROUPS = 2
RESAMPLES = 400
MOST_TIMES_MORE = 2
CONFIDENCE = 0.9
EXPONENTS = np.linspace(0.1, 2.0, 39)
COLUMNS = ["groups_per_class", "draws", "balanced_accuracy", "log_loss", "low", "high", "observed"]


def learning_curve(
    values: StudyValues,
    samples: pd.DataFrame,
    candidates: list[str],
    settings: FoldSettings,
    seed: int,
    unfinished: Unfinished,
) -> pd.DataFrame:
    """Scores of the best classifier by the number of groups of each class that it learns from.

    Groups (animals) are drawn without replacement, as many of each class; what is left, some of every class, is
    predicted. All choices are made within the drawn samples. Columns: groups_per_class, draw, balanced_accuracy,
    log_loss; empty where no class has groups to spare, where samples are held out, or where groups have several
    classes.
    """
    several = (samples.groupby("group")["label"].nunique() > 1).any()
    groups = samples.drop_duplicates("group").groupby("label")["group"].agg(list)
    most = int(groups.map(len).min()) - 1
    sizes = sorted({round(size) for size in np.linspace(LEAST_GROUPS, most, 5)}) if most >= LEAST_GROUPS else []
    if several or samples["held_out"].any():
        sizes = []
    rows = []
    for size, draw in follow([(size, draw) for size in sizes for draw in range(DRAWS)], "draws of training samples"):
        draw_seed = derive(seed, "draw", size, draw)
        scores = partial(one_draw, values, samples, groups, size, candidates, settings, draw_seed)
        rows.append((size, draw, *unfinished.result(f"{size}.{draw}", scores)))
    return pd.DataFrame(rows, columns=["groups_per_class", "draw", "balanced_accuracy", "log_loss"])


def one_draw(
    values: StudyValues,
    samples: pd.DataFrame,
    groups: pd.Series,
    size: int,
    candidates: list[str],
    settings: FoldSettings,
    seed: int,
) -> tuple[float, float]:
    """Balanced accuracy and log loss of what is left, learned from `size` groups of each class."""
    generator = np.random.default_rng(seed)
    drawn = {name for names in groups for name in generator.choice(np.array(names, dtype=object), size, replace=False)}
    learned = samples["group"].isin(drawn).to_numpy()
    train, test = np.flatnonzero(learned), np.flatnonzero(~learned)
    made = predict(values, samples, train, test, candidates, settings, derive(seed, "inner folds"))
    classes = np.array(sorted(samples["label"].iloc[train].unique()))
    labels, probabilities = samples["label"].iloc[test].to_numpy(), made.probabilities[BEST]
    of_true = probabilities[np.arange(len(test)), np.searchsorted(classes, labels)]
    return balanced_accuracy(labels, classes[probabilities.argmax(axis=1)]), log_loss(of_true)


def fit_power_law(sizes: np.ndarray, accuracies: np.ndarray, at: np.ndarray) -> np.ndarray:
    """accuracy = a - b * size^-c by least squares, at sizes `at`; a at most 1, b at least 0 (Figueroa et al. 2012)."""
    best, fitted = np.inf, np.full(len(at), accuracies.mean())
    for exponent in EXPONENTS:
        falling = sizes**-exponent
        spread = falling - falling.mean()
        slope = max(-(spread @ accuracies) / max(spread @ spread, 1e-12), 0.0)
        limit = min(accuracies.mean() + slope * falling.mean(), 1.0)
        if limit == 1.0:
            slope = max(((1.0 - accuracies) @ falling) / (falling @ falling), 0.0)
        error = ((limit - slope * falling - accuracies) ** 2).sum()
        if error < best - 1e-12:
            best, fitted = error, limit - slope * at**-exponent
    return fitted


def summarise_curve(draws: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The curve of `learning_curve`, continued to at most twice the groups, with 90 % intervals; `COLUMNS`.

    Intervals are of what another draw of the same study would show: draws are resampled within sizes, the power law is
    fitted to each resample, and the spread of a size's draws is added.
    """
    if draws["groups_per_class"].nunique() < 3:
        return pd.DataFrame(columns=COLUMNS)
    sizes = draws["groups_per_class"].unique()
    most = int(sizes.max())
    ahead = np.unique(np.round(np.linspace(most + 1, MOST_TIMES_MORE * (most + 1), 4)).astype(int))
    at = np.concatenate([sizes, ahead]).astype(float)
    generator = np.random.default_rng(derive(seed, "learning curve"))
    by_size = [rows["balanced_accuracy"].to_numpy() for _, rows in draws.groupby("groups_per_class", sort=False)]
    curves = []
    for _ in range(RESAMPLES):
        resampled = [generator.choice(values, len(values)).mean() for values in by_size]
        noise = generator.normal(0, by_size[-1].std(ddof=1), len(at))
        curves.append(fit_power_law(sizes.astype(float), np.array(resampled), at) + noise)
    low, high = np.quantile(curves, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    means = draws.groupby("groups_per_class", sort=False)[["balanced_accuracy", "log_loss"]].mean()
    whole = fit_power_law(sizes.astype(float), means["balanced_accuracy"].to_numpy(), at)
    table = pd.DataFrame({"groups_per_class": at.astype(int), "balanced_accuracy": whole})
    table = table.assign(low=np.clip(low, 0, 1), high=np.clip(high, 0, 1), observed=np.arange(len(at)) < len(sizes))
    table["draws"] = np.where(table["observed"], DRAWS, 0)
    table.loc[table["observed"], "balanced_accuracy"] = means["balanced_accuracy"].to_numpy()
    table["log_loss"] = np.where(table["observed"], table["groups_per_class"].map(means["log_loss"]), np.nan)
    return table[COLUMNS]
