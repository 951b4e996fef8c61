"""What could have been detected against textbook formulas and simulated tests."""

from itertools import permutations

import numpy as np
import pytest
from scarceseq.statistics.power import smallest_detectable_accuracy, smallest_detectable_difference
from scipy import stats


def test_the_smallest_detectable_accuracy_is_the_textbook_sample_size_turned_round():
    """Oracle: n = ((z_a sqrt(p0 q0) + z_b sqrt(p1 q1)) / (p1 - p0))^2 for one share, classes of equal size."""
    p1 = smallest_detectable_accuracy([25, 25], 0.95)
    za, zb = 1.6448536269514722, 0.8416212335729143
    samples = ((za * 0.5 + zb * np.sqrt(p1 * (1 - p1))) / (p1 - 0.5)) ** 2
    assert samples == pytest.approx(50, rel=1e-6)
    assert np.isnan(smallest_detectable_accuracy([1, 1], 0.95))
    assert smallest_detectable_accuracy([25, 25, 25], 0.95) < p1


def test_no_power_is_promised_where_no_permutation_test_can_reject():
    """Oracle: every arrangement of 3 against 3, of which the best possible p is counted; by the normal formula alone a
    perfect prediction would do."""
    labels = [0, 0, 0, 1, 1, 1]
    arranged = {tuple(order) if order[0] == 0 else tuple(1 - x for x in order) for order in permutations(labels)}
    least = 1 / len(arranged)
    assert least == 0.1
    assert smallest_detectable_accuracy([3, 3], 0.95) < 1
    assert np.isnan(smallest_detectable_accuracy([3, 3], 0.95, floor=least))
    assert smallest_detectable_accuracy([3, 3], 0.9, floor=least) < 1


def test_a_difference_of_the_stated_size_is_detected_as_often_as_stated():
    """Oracle: simulated t tests of 10 values."""
    generator, error, count = np.random.default_rng(0), 0.02, 10
    stated = smallest_detectable_difference(error, count - 1, 0.05, 0.8)
    samples = generator.normal(stated, error * np.sqrt(count), size=(20000, count))
    t = samples.mean(axis=1) / (samples.std(axis=1, ddof=1) / np.sqrt(count))
    assert (t > stats.t.ppf(0.975, count - 1)).mean() == pytest.approx(0.8, abs=0.04)
