"""Intervals for means over episodes that share studies."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

MIN_STUDIES_BOOTSTRAP = 10
MIN_STUDIES_T = 3


@dataclass(frozen=True)
class Interval:
    """A mean with its interval; `low` and `high` are NaN, and `reason` says why, where none can be given."""

    mean: float
    low: float
    high: float
    studies: int
    kind: str
    reason: str


def interval(values, support, query, settings, seed):
    """Mean over episodes with an interval that treats studies, not episodes, as the unit.

    Support and query studies are crossed factors; the scarcer of the two decides. With at least 10 studies: pigeonhole
    bootstrap, percentiles. With 3 to 9: t interval on the means of the scarcer factor's studies. With fewer: none.

    Parameters
    ----------
    values : array, (episodes,)
    support, query : array of str, (episodes,)
        Study of each episode's support and query; equal in within-study tasks, which leaves one factor.
    settings : ScoreSettings
    seed : int

    Returns
    -------
    Interval
    """
    values, support, query = np.asarray(values, float), np.asarray(support), np.asarray(query)
    counts = len(np.unique(query)), len(np.unique(support))
    factor, studies = (query, counts[0]) if counts[0] <= counts[1] else (support, counts[1])
    if studies >= MIN_STUDIES_BOOTSTRAP:
        means = pigeonhole_means(values, support, query, settings.bootstrap_draws, seed)
        tail = (1 - settings.confidence) / 2
        low, high = np.quantile(means, [tail, 1 - tail])
        crossed = "query studies" if (support == query).all() else "support and query studies"
        return Interval(values.mean(), float(low), float(high), studies, f"bootstrap over {crossed}", "")
    means = np.array([values[factor == study].mean() for study in np.unique(factor)])
    side = "query" if factor is query else "support"
    if studies < MIN_STUDIES_T:
        reason = f"{studies} {side} {'study' if studies == 1 else 'studies'}; an interval needs {MIN_STUDIES_T}"
        return Interval(float(means.mean()), np.nan, np.nan, studies, "NA", reason)
    half = stats.t.ppf((1 + settings.confidence) / 2, studies - 1) * means.std(ddof=1) / np.sqrt(studies)
    middle = float(means.mean())
    return Interval(middle, middle - float(half), middle + float(half), studies, f"t on means of {side} studies", "")


def pigeonhole_means(values, support, query, draws, seed):
    """Bootstrap means with support and query studies resampled as crossed factors (Owen 2007, pigeonhole bootstrap).

    An episode's weight is the product of how often its support and its query study were drawn. Where both are the same
    in every episode there is one factor, and this is the ordinary cluster bootstrap.

    Returns
    -------
    array, (draws,)
        Draws in which no episode has a weight are drawn anew.
    """
    generator = np.random.default_rng(seed)
    queries, query_index = np.unique(query, return_inverse=True)
    if (support == query).all():
        supports, support_index = np.array(["all"]), np.zeros(len(query), int)
    else:
        supports, support_index = np.unique(support, return_inverse=True)
    total, count = (np.zeros((len(supports), len(queries))) for _ in range(2))
    np.add.at(total, (support_index, query_index), values)
    np.add.at(count, (support_index, query_index), 1.0)
    means = np.empty(0)
    while len(means) < draws:
        one, two = (_multiplicities(len(studies), draws, generator) for studies in (supports, queries))
        weight = np.einsum("ds,sq,dq->d", one, count, two, optimize=True)
        sums = np.einsum("ds,sq,dq->d", one, total, two, optimize=True)
        means = np.concatenate([means, sums[weight > 0] / weight[weight > 0]])
    return means[:draws]


def _multiplicities(studies, draws, generator):
    return generator.multinomial(studies, np.full(studies, 1 / studies), size=draws).astype(float)
