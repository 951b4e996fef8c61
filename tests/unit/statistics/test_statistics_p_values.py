"""P values against hand-computed ones and the published table of critical differences."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.statistics.p_values import critical_difference, friedman, holm, permutation_test
from scipy import stats


def test_holm_adjusts_as_by_hand():
    adjusted = holm(pd.Series([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(adjusted, [0.03, np.nan, 0.06, 0.06])


def test_holm_of_no_p_value_at_all_is_missing():
    assert holm(pd.Series([np.nan, np.nan])).isna().all()
    assert holm(pd.Series([], dtype=float)).empty


def test_p_of_a_permutation_test_counts_the_true_labels_and_ties():
    permuted = pd.Series([0.5, 0.6, 0.7, 0.8])
    assert permutation_test(0.7, permuted, 1000.0) == pytest.approx((3 / 5, 1 / 5))
    assert permutation_test(0.9, permuted, 1000.0) == pytest.approx((1 / 5, 1 / 5))
    # Four arrangements in all: no p below a quarter, however many are drawn.
    assert permutation_test(0.9, permuted, 4.0) == pytest.approx((1 / 4, 1 / 4))


def test_the_critical_difference_is_the_published_one():
    # Oracle: Demsar 2006, table 5: q = 2.569 for 4 methods at 0.05.
    assert critical_difference(4, 6, 0.95) == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 6)), rel=1e-3)


def test_friedmans_test_of_equal_ranks_tells_nothing_apart():
    assert friedman(pd.DataFrame(np.full((5, 3), 2.0))) == 1.0
    ranks = pd.DataFrame([[1, 2, 3], [1, 3, 2], [1, 2, 3], [2, 1, 3]])
    assert friedman(ranks) == stats.friedmanchisquare(*ranks.to_numpy().T).pvalue < 0.2
