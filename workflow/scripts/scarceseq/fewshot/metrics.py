"""Measures of episodes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

SMALLEST_PROBABILITY = 1e-7
METRICS = ("balanced_accuracy", "auroc", "log_loss", "brier")


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Mean over the classes of the share of their samples that are predicted right."""
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    return float(np.mean([(predicted[labels == label] == label).mean() for label in np.unique(labels)]))


def log_loss(probabilities: np.ndarray) -> float:
    """Mean of -log(probability of the true class), probabilities bounded below by 1e-7."""
    return float(-np.log(np.clip(probabilities, SMALLEST_PROBABILITY, 1.0)).mean())


def measure(table: pd.DataFrame, keys: list[str], classes: Sequence[str] | None = None) -> pd.DataFrame:
    """Measures of many episodes at once: `keys`, `METRICS`, and queries (query samples per class), a row per episode.

    `table` has a row per query sample: label, predicted, probability (of the true label), p_0, p_1, ... (of the classes
    of its episode in the order of their names), and the columns `keys`, which tell episodes apart. `classes` are those
    of all episodes, where an episode's query may lack one of them; by default each has those of its query.

    The area under the ROC curve is the mean over the classes of each against the rest (Mann and Whitney's statistic,
    ties count half); Brier's score is the sum over classes of squared errors of the probabilities.
    """
    episode = table.groupby(keys, sort=False).ngroup().to_numpy()
    first = np.unique(episode, return_index=True)[1]
    labels = pd.factorize(table["label"], sort=True)[0]
    truth = pd.DataFrame({"episode": episode, "label": labels})
    if classes is None:
        true_class = truth.groupby("episode")["label"].rank("dense").to_numpy().astype(int) - 1
    else:
        true_class = table["label"].map(list(classes).index).to_numpy()
    right = truth.assign(right=table["label"].to_numpy() == table["predicted"].to_numpy())
    accuracy = right.groupby(["episode", "label"])["right"].mean().groupby("episode").mean()
    queries = truth.groupby("episode")["label"].agg(lambda labels: len(labels) / labels.nunique())
    loss = pd.Series(-np.log(np.clip(table["probability"].to_numpy(), SMALLEST_PROBABILITY, 1.0)))
    areas, brier = np.full((len(first), 0), np.nan), np.zeros(len(table))
    for place, column in enumerate(c for c in table if c.startswith("p_")):
        probability, is_class = table[column].to_numpy(float), true_class == place
        brier += np.nan_to_num(probability - is_class) ** 2
        areas = np.column_stack([areas, _areas(probability, is_class, episode, len(first))])
    episodes = table[keys].iloc[first].reset_index(drop=True)
    return episodes.assign(
        queries=queries.to_numpy(),
        balanced_accuracy=accuracy.to_numpy(),
        auroc=_mean_of_finite(areas),
        log_loss=loss.groupby(episode).mean().to_numpy(),
        brier=pd.Series(brier).groupby(episode).mean().to_numpy(),
    )


def _mean_of_finite(areas: np.ndarray) -> np.ndarray:
    """Mean over the classes; NaN where there is one class alone."""
    finite = np.isfinite(areas)
    return np.where(finite, areas, 0.0).sum(axis=1) / np.where(finite.any(axis=1), finite.sum(axis=1), np.nan)


def _areas(score: np.ndarray, is_class: np.ndarray, episode: np.ndarray, episodes: int) -> np.ndarray:
    """Area under the ROC curve of one class against the rest in each episode; NaN where it has no such class."""
    ranks = pd.Series(score).groupby(episode).rank().to_numpy()
    inside = np.bincount(episode, is_class, minlength=episodes)
    outside = np.bincount(episode, minlength=episodes) - inside
    total = np.bincount(episode, np.where(is_class, ranks, 0.0), minlength=episodes)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(inside * outside > 0, (total - inside * (inside + 1) / 2) / (inside * outside), np.nan)
