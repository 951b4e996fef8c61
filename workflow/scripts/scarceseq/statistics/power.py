"""What a comparison of a given size could have detected."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike


POWER = 0.8
"""Share of repeats in which a difference of the stated size would be detected."""


def smallest_detectable_accuracy(
    counts: Sequence[float], confidence: float, power: float = POWER, floor: float = 0.0
) -> float:
    """Least balanced accuracy that would be told from chance by this many independent predictions; NaN if not even 1.

    One-sided normal approximation: p - chance = z(confidence) sd(chance) + z(power) sd(p), where sd(p) is the standard
    deviation of balanced accuracy if each class is predicted right with probability p. `counts` are the predicted
    samples of each class, or groups, where several samples are of one; `floor` is the least p that the test can give,
    as there are so few arrangements of the labels.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    if floor > 1 - confidence + 1e-12:
        return float("nan")
    chance, per_sample = 1 / len(counts), np.mean(1 / np.asarray(counts, float)) / len(counts)

    def gap(p: float) -> float:
        spread = norm.ppf(confidence) * np.sqrt(chance * (1 - chance) * per_sample)
        return p - chance - spread - norm.ppf(power) * np.sqrt(p * (1 - p) * per_sample)

    return float(brentq(gap, chance, 1.0)) if gap(1.0) >= 0 else float("nan")


def smallest_detectable_difference(
    error: "ArrayLike", freedom: "ArrayLike", size: float, power: float = POWER
) -> "Any":
    """Difference that a two-sided t test detects with this power, element by element.

    `error` and `freedom` are its standard error and degrees of freedom, `size` the p value below which it counts as
    detected.
    """
    from scipy import stats

    return (stats.t.ppf(1 - size / 2, freedom) + stats.t.ppf(power, freedom)) * error


def level_of_p(power: np.ndarray, changed_share: float, false_discovery: float) -> float:
    """P below which a gene is called where a share of genes changes and each is found with its power (Jung 2005)."""
    return false_discovery * changed_share * float(power.mean()) / ((1 - changed_share) * (1 - false_discovery))
