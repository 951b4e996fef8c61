"""The jackknife over studies: intervals for means over episodes that share studies and pre-training seeds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from scarceseq.statistics.crossed import LEAST_STUDIES, crossed_error
from scarceseq.statistics.intervals import WITHIN, corrected_interval

LEAST_STUDIES_P = 10
"""Studies from which p values are given."""


@dataclass(frozen=True)
class Interval:
    """A mean with its interval; `low` and `high` are NaN, and `reason` says why, where none can be given.

    `p` is the two-sided p value for a mean of 0, given from 10 studies on.
    """

    mean: float
    low: float
    high: float
    studies: int
    kind: str
    reason: str
    p: float = np.nan


class StudyJackknife:
    """What intervals over the same episodes share: how they count, and which are left when a study is left out.

    Each pair of a support and a query study counts alike, whatever its number of episodes. The standard error is the
    jackknife's over studies: one is left out with all episodes in which it gives the support or the query, so that what
    is particular to a study may act in both roles. Where support and query are of the same study this is the t interval
    on study means. Seeds are crossed with studies. Fewer than 3 studies give no interval; but within a single study
    there is the corrected resampled t interval over its episodes, which are random divisions of it (Nadeau and Bengio
    2003), and tell nothing of others.

    `support` and `query`, (episodes,), are the studies of each episode; equal in within-study tasks, which leaves one
    factor. `asked_to_learned`: query samples per support sample. `mixed_support`: a support is of several studies;
    these overlap from one to the next, which leaves one factor too.
    """

    def __init__(
        self,
        support: ArrayLike,
        query: ArrayLike,
        confidence: float,
        asked_to_learned: float = np.nan,
        mixed_support: bool = False,
    ) -> None:
        self.query = np.asarray(query)
        self.support = self.query if mixed_support else np.asarray(support)
        counts = len(np.unique(self.query)), len(np.unique(self.support))
        self.studies, self.confidence, self.asked_to_learned = min(counts), confidence, asked_to_learned
        self.side = "query" if counts[0] <= counts[1] else "support"
        self.one_factor = bool((self.support == self.query).all())
        self.one_study = counts == (1, 1) and self.one_factor and not mixed_support
        studies, numbers = np.unique(np.concatenate([self.support, self.query]), return_inverse=True)
        both = numbers.reshape(2, -1)
        pairs, pair, episodes = np.unique(both, axis=1, return_inverse=True, return_counts=True)
        self._whole = 1 / episodes[pair] / pairs.shape[1]
        self._without = self._whole * [(both != study).all(axis=0) for study in range(len(studies))]
        self._shares = self._without.sum(axis=1, keepdims=True)

    def interval(self, values: ArrayLike) -> Interval:
        """Mean of values, (episodes,) or (episodes, seeds), with its interval."""
        values = np.asarray(values, float).reshape(len(self.query), -1)
        if self.one_study and np.isfinite(self.asked_to_learned):
            return self._within(values.mean(axis=1))
        mean = self._whole @ values
        if self.studies < LEAST_STUDIES or (self._shares == 0).any():
            return self._none(mean.mean(), self._too_few())
        studies = len(self._without)
        table = studies * mean - (studies - 1) * (self._without / self._shares) @ values  # of pseudo-values
        error, freedom = crossed_error(table, self.studies - 1)
        mean = float(mean.mean())
        if error <= 1e-12:  # as where both methods are always right
            return self._none(mean, f"all {self.studies} studies are equal, which tells nothing of their spread")
        half = float(stats.t.ppf((1 + self.confidence) / 2, freedom) * error)
        p = float(2 * stats.t.sf(abs(mean) / error, freedom)) if self.studies >= LEAST_STUDIES_P else np.nan
        which = "query studies" if self.one_factor else "support and query studies"
        kind = f"jackknife over {which}{' and seeds' * (values.shape[1] > 1)}, t"
        return Interval(mean, mean - half, mean + half, self.studies, kind, "", p)

    def _too_few(self) -> str:
        if self.studies >= LEAST_STUDIES:
            return "one study is in every episode"
        noun = "study" if self.studies == 1 else "studies"
        return f"{self.studies} {self.side} {noun}; an interval needs {LEAST_STUDIES}"

    def _none(self, mean: float, reason: str) -> Interval:
        return Interval(float(mean), np.nan, np.nan, self.studies, "NA", reason)

    def _within(self, values: np.ndarray) -> Interval:
        """Interval over the episodes of the only study; none if all are equal, which tells nothing of their spread."""
        mean, low, high, _ = corrected_interval(values, self.asked_to_learned, self.confidence)
        if len(values) < 2 or low == high:
            return self._none(mean, f"1 study, {'1 episode' if len(values) < 2 else 'all episodes are equal'}")
        return Interval(mean, float(low), float(high), 1, WITHIN, "")
