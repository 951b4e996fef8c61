"""P values: several at once, of permutations, and of mean ranks."""

import gc
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

TIES = 1e-12
"""Permuted values that fall short of the true one by less count as equal to it."""


def holm(p: pd.Series) -> pd.Series:
    """P values adjusted for how many there are (Holm 1979), NaN where there is none."""
    from statsmodels.stats.multitest import multipletests

    given = p.dropna()
    gc.freeze()  # statsmodels collects garbage each time, a tenth of a second where many modules are loaded
    adjusted = multipletests(given.to_numpy(), method="holm")[1] if len(given) else []
    gc.unfreeze()
    return pd.Series(adjusted, index=given.index, dtype=float).reindex(p.index)


class PermutationTest(NamedTuple):
    """How often permuted labels do as well as the true ones, and the least p that any data could reach."""

    p: float
    smallest_p: float


def permutation_test(true: float, permuted: pd.Series, possible: float) -> PermutationTest:
    """P value of a score, more being better, against those of permuted labels: (1 + as good) / (1 + permutations).

    `possible` is how many arrangements of the labels there are, which p cannot fall below one of.
    """
    p = (1 + (permuted >= true - TIES).sum()) / (1 + len(permuted))
    smallest = max(1 / (1 + len(permuted)), 1 / possible)
    return PermutationTest(max(p, smallest), smallest)


def friedman(ranks: pd.DataFrame) -> float:
    """P value of Friedman's test that methods (columns) rank alike over studies (rows); 1 if all ranks are equal."""
    return 1.0 if ranks.to_numpy().std() == 0 else float(stats.friedmanchisquare(*ranks.to_numpy().T).pvalue)


def critical_difference(methods: int, studies: int, confidence: float) -> float:
    """Distance from which two mean ranks differ (Nemenyi's test, after Demsar 2006)."""
    quantile = stats.studentized_range.ppf(confidence, methods, np.inf) / np.sqrt(2)
    return quantile * np.sqrt(methods * (methods + 1) / (6 * studies))
