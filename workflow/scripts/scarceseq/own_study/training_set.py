"""Expression of a study's samples, and what the training samples of one fold say of it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from scarceseq.own_study.differential import LEAST_COUNT, LEAST_TOTAL, log_cpm, variance_prior

MOST_TOP_GENES = 2000


@dataclass(frozen=True)
class StudyValues:
    """What is known of the samples without their labels."""

    counts: np.ndarray  # (samples, genes), reads of all genes of the user's table that have any
    depths: np.ndarray  # (samples,), reads in all
    # (samples, genes), log2 counts per million, less the gene's mean over all samples, which changes no classifier
    logs: np.ndarray
    # (samples, features), further ones, made for each sample by itself: of the model, of gene sets
    features: dict[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def per_million(self) -> np.ndarray:
        """Counts per million, (samples, genes)."""
        return self.counts / self.depths[:, None] * 1e6

    @cached_property
    def squares(self) -> np.ndarray:
        """`logs` squared."""
        return self.logs**2


def study_values(counts: np.ndarray, features: dict[str, np.ndarray] | None = None) -> StudyValues:
    """Values of a table of counts, (genes, samples)."""
    read = counts.sum(axis=1) > 0
    logs = log_cpm(counts)[read].T
    chosen = np.ascontiguousarray(counts[read].T, dtype=float)
    return StudyValues(chosen, counts.sum(axis=0).astype(float), logs - logs.mean(axis=0), features or {})


class TrainingSet:
    """Training samples of a fold, the samples to predict, and the genes' moderated statistics in the former.

    `train` and `test` are rows of `values`; `labels`, (training samples,), are classes, from 0; every class has a
    sample.
    """

    def __init__(self, values: StudyValues, train: np.ndarray, test: np.ndarray, labels: np.ndarray) -> None:
        self.values, self.train, self.test, self.labels = values, train, test, labels
        self.sizes = np.bincount(labels)
        self.classes = len(self.sizes)
        self.weights = np.zeros((self.classes, len(values.logs)))
        self.weights[labels, train] = 1

    @cached_property
    def kept(self) -> np.ndarray:
        """Genes expressed in the training samples, as `scarceseq.own_study.differential.expressed` chooses them."""
        least = LEAST_COUNT / np.median(self.values.depths[self.train]) * 1e6
        enough = (self.values.per_million[self.train] >= least).sum(axis=0) >= min(self.sizes.min(), 10)
        kept = np.flatnonzero(enough & (self.values.counts[self.train].sum(axis=0) >= LEAST_TOTAL))
        return kept if len(kept) else np.flatnonzero(self.values.counts[self.train].any(axis=0))

    @cached_property
    def means(self) -> np.ndarray:
        """Mean of each class, (classes, kept genes)."""
        return (self.weights @ self.values.logs)[:, self.kept] / self.sizes[:, None]

    @cached_property
    def grand(self) -> np.ndarray:
        """Mean of the training samples, (kept genes,)."""
        return self.sizes @ self.means / self.sizes.sum()

    @cached_property
    def variance(self) -> np.ndarray:
        """Variance within the classes, (kept genes,)."""
        squares = (self.weights.sum(axis=0) @ self.values.squares)[self.kept]
        return np.maximum(squares - self.sizes @ self.means**2, 0) / max(len(self.train) - self.classes, 1)

    @cached_property
    def moderated(self) -> np.ndarray:
        """The same, drawn towards a common variance (Smyth 2004)."""
        freedom = len(self.train) - self.classes
        if freedom < 1 or len(self.kept) < 3 or not self.variance.any():
            return np.full(len(self.kept), 1.0)
        prior_freedom, prior = variance_prior(self.variance, freedom)
        if np.isinf(prior_freedom):
            return np.full(len(self.kept), prior)
        return (prior_freedom * prior + freedom * self.variance) / (prior_freedom + freedom)

    @cached_property
    def statistic(self) -> np.ndarray:
        """Moderated F of each kept gene; the square of t if there are two classes."""
        between = self.sizes @ (self.means - self.grand) ** 2
        return between / (self.classes - 1) / self.moderated

    @cached_property
    def top(self) -> np.ndarray:
        """Places among the kept genes, most differential first; the first `MOST_TOP_GENES`."""
        count = min(MOST_TOP_GENES, len(self.kept))
        first = np.argpartition(-self.statistic, count - 1)[:count]
        return first[np.lexsort((first, -self.statistic[first]))]

    def scaled_top(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The first genes of `top` in moderated standard deviations from their mean: training and test samples."""
        top = self.top[:count]
        genes = self.kept[top]
        centre, scale = self.grand[top], np.sqrt(self.moderated[top])
        rows = (self.values.logs[np.ix_(rows, genes)] for rows in (self.train, self.test))
        train, test = ((values - centre) / scale for values in rows)
        return train, test

    def scaled(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Further features in standard deviations from their mean over the training samples."""
        train, test = self.values.features[name][self.train], self.values.features[name][self.test]
        spread = train.std(axis=0)
        scale = np.where(spread > 1e-9, spread, 1.0)
        return (train - train.mean(axis=0)) / scale, (test - train.mean(axis=0)) / scale

    @cached_property
    def kernels(self) -> tuple[np.ndarray, np.ndarray]:
        """Inner products over all kept genes about the training mean, (train, train) and (test, train)."""
        logs = self.values.logs[:, self.kept] - self.grand
        train = logs[self.train]
        inner = train @ train.T
        size = np.trace(inner) / len(train) or 1.0
        return inner / size, logs[self.test] @ train.T / size


def features_of(table: pd.DataFrame, samples: list[str]) -> dict[str, np.ndarray]:
    """Features by kind, of a table with the column sample and columns named ``<kind>.<number>``."""
    values = table.set_index("sample").loc[samples]
    kinds = dict.fromkeys(name.rpartition(".")[0] for name in values)
    return {kind: values.filter(regex=rf"^{kind}\.\d+$").to_numpy(float) for kind in kinds}
