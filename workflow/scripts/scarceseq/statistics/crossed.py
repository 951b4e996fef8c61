"""Intervals of means over studies and seeds that are crossed."""

import numpy as np
from scipy import stats

LEAST_STUDIES = 3
"""Below which no interval is given."""
LEAST_FREEDOM = 1.0
"""Degrees of freedom of an interval over studies and seeds."""


def crossed_interval(table: np.ndarray, confidence: float) -> tuple[float, float, str]:
    """Low and high of the t interval of the mean of a (studies, seeds) table, rows and columns random, and its kind.

    NaN with fewer than `LEAST_STUDIES` studies.
    """
    studies, seeds = table.shape
    if studies < LEAST_STUDIES:
        return np.nan, np.nan, "NA"
    error, freedom = crossed_error(table, studies - 1)
    half = stats.t.ppf((1 + confidence) / 2, freedom) * error
    return table.mean() - half, table.mean() + half, "t over studies" + (" and seeds" if seeds > 1 else "")


def crossed_error(table: np.ndarray, freedom: float) -> tuple[float, float]:
    """Standard error of the mean of a (studies, seeds) table, and its degrees of freedom.

    The variance of the mean is (MS studies + MS seeds - MS rest) / (studies x seeds), with Satterthwaite's degrees of
    freedom, at least `LEAST_FREEDOM`; with one seed it is that of the studies' values. Never less than that of the
    studies alone, whose degrees of freedom are `freedom`.
    """
    studies, seeds = table.shape
    of_study, of_seed = table.mean(axis=1), table.mean(axis=0)
    by_study = seeds * of_study.var(ddof=1)
    total = by_study
    if seeds > 1:
        by_seed = studies * of_seed.var(ddof=1)
        rest = np.square(table - of_study[:, None] - of_seed + table.mean()).sum() / ((studies - 1) * (seeds - 1))
        if by_seed > rest:
            total = by_study + by_seed - rest
            terms = by_study**2 / freedom + by_seed**2 / (seeds - 1) + rest**2 / (freedom * (seeds - 1))
            # Where the mean squares nearly cancel, the formula goes to 0, and a quantile of t with it to 1e16.
            freedom = max(total**2 / terms, LEAST_FREEDOM)
    return float(np.sqrt(total / (studies * seeds))), freedom
