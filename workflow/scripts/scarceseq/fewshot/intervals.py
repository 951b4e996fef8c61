"""Intervals for means over episodes that share studies and pre-training seeds."""

from dataclasses import dataclass

import numpy as np

from scarceseq.fewshot.corpus import TOGETHER
from scarceseq.intervals import corrected_interval
from scarceseq.pretrain.contrasts import crossed_interval

MIN_STUDIES_BOOTSTRAP = 10
MIN_STUDIES_T = 3
WITHIN = "corrected resampled t, within one study"


@dataclass(frozen=True)
class Interval:
    """A mean with its interval; `low` and `high` are NaN, and `reason` says why, where none can be given.

    `p` is the two-sided p value for a mean of 0, given with a bootstrap only.
    """

    mean: float
    low: float
    high: float
    studies: int
    kind: str
    reason: str
    p: float = np.nan


class Clusters:
    """What intervals over the same episodes share: their studies, and the draws of the bootstrap.

    Support and query studies, and seeds, are crossed factors; the scarcer of the studies decide. With at least 10
    studies: pigeonhole bootstrap over all factors, percentiles. With 3 to 9: t interval on the means of the scarcer
    factor's studies, crossed with the seeds. With fewer: none; but within a single study the corrected resampled t
    interval over its episodes, which are random divisions of it (Nadeau and Bengio 2003), and tell nothing of others.

    Parameters
    ----------
    support, query : array of str, (episodes,)
        Study of each episode's support and query; equal in within-study tasks, which leaves one factor. So does a
        support of several studies, since these overlap from one to the next.
    settings : ScoreSettings
    seed : int
    asked_to_learned : float
        Query samples per support sample.
    """

    def __init__(self, support, query, settings, seed, asked_to_learned=np.nan):
        support, self.query = np.asarray(support), np.asarray(query)
        several = any(TOGETHER in name for name in np.unique(support))
        self.support = self.query if several else support
        counts = len(np.unique(self.query)), len(np.unique(self.support))
        self.by_query = counts[0] <= counts[1]
        self.studies, self.settings, self.seed = min(counts), settings, seed
        self.one_study = counts == (1, 1) and (self.support == self.query).all() and not several
        self.asked_to_learned = asked_to_learned
        self._weights = {}

    def interval(self, values):
        """Mean with its interval.

        Parameters
        ----------
        values : array, (episodes,) or (episodes, seeds)

        Returns
        -------
        Interval
        """
        values = np.asarray(values, float).reshape(len(self.query), -1)
        several = " and seeds" if values.shape[1] > 1 else ""
        if self.studies >= MIN_STUDIES_BOOTSTRAP:
            means = self._means(values)
            tail = (1 - self.settings.confidence) / 2
            low, high = np.quantile(means, [tail, 1 - tail])
            beyond = 1 + min((means <= 0).sum(), (means >= 0).sum())
            p = min(1.0, 2 * beyond / (1 + len(means)))
            crossed = "query studies" if (self.support == self.query).all() else "support and query studies"
            kind = f"bootstrap over {crossed}{several}"
            return Interval(values.mean(), float(low), float(high), self.studies, kind, "", float(p))
        factor, side = (self.query, "query") if self.by_query else (self.support, "support")
        table = np.array([values[factor == study].mean(axis=0) for study in np.unique(factor)])
        mean = float(table.mean())
        if self.one_study and np.isfinite(self.asked_to_learned):
            return self._within(values.mean(axis=1))
        if self.studies < MIN_STUDIES_T:
            count = f"{self.studies} {side} {'study' if self.studies == 1 else 'studies'}"
            reason = f"{count}; an interval needs {MIN_STUDIES_T}"
            return Interval(mean, np.nan, np.nan, self.studies, "NA", reason)
        low, high, _ = crossed_interval(table, self.settings.confidence)
        kind = f"t on means of {side} studies{several}"
        return Interval(mean, float(low), float(high), self.studies, kind, "")

    def _within(self, values):
        """Interval over the episodes of the only study; none if all are equal, which tells nothing of their spread."""
        mean, low, high, _ = corrected_interval(values, self.asked_to_learned, self.settings.confidence)
        if len(values) < 2 or low == high:
            reason = "1 episode" if len(values) < 2 else "all episodes are equal"
            return Interval(mean, np.nan, np.nan, 1, "NA", f"1 study, {reason}")
        return Interval(mean, float(low), float(high), 1, WITHIN, "")

    def _means(self, values):
        seeds = values.shape[1]
        if seeds not in self._weights:
            draws = self.settings.bootstrap_draws
            self._weights[seeds] = pigeonhole_weights(self.support, self.query, seeds, draws, self.seed)
        episodes, of_seeds = self._weights[seeds]
        return ((episodes @ values) * of_seeds).sum(axis=1)


def pigeonhole_weights(support, query, seeds, draws, seed):
    """Weights of a bootstrap that resamples support studies, query studies and seeds as crossed factors (Owen 2007).

    An episode's weight is the product of how often its support and its query study were drawn. Where both are the same
    in every episode there is one factor, and this is the ordinary cluster bootstrap.

    Returns
    -------
    array, (draws, episodes); array, (draws, seeds)
        Each adds up to 1 in a draw. Draws in which no episode has a weight are drawn anew.
    """
    generator = np.random.default_rng(seed)
    queries, query_index = np.unique(query, return_inverse=True)
    supports, support_index = np.unique(support, return_inverse=True)
    one_factor = (support == query).all()
    found = np.empty((0, len(query)))
    while len(found) < draws:
        weight = _multiplicities(len(queries), draws, generator)[:, query_index]
        if not one_factor:
            weight *= _multiplicities(len(supports), draws, generator)[:, support_index]
        total = weight.sum(axis=1)
        found = np.concatenate([found, weight[total > 0] / total[total > 0, None]])
    return found[:draws], _multiplicities(seeds, draws, generator) / seeds


def _multiplicities(count, draws, generator):
    return generator.multinomial(count, np.full(count, 1 / count), size=draws).astype(float)
