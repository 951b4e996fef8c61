"""One comparison from several of the same kind, whatever samples and studies they share."""

import math
from collections.abc import Sequence

import numpy as np

from scarceseq.statistics.writer import Contrast, counted


def pooled(contrasts: Sequence[Contrast], subject: str = "", rival: str = "") -> Contrast:
    """The mean of differences of one measure and unit, with an interval that holds whatever the comparisons share.

    The standard deviation of a mean is at most the mean of the standard deviations, as is seen from the triangle
    inequality, and equal to it where all rise and fall together. So the mean difference reaches as far down and up as
    its differences do on average; where comparisons are independent the interval is wider than need be.

    Contrasts without an interval are left out, unless none has one. `subject` and `rival` are those of the first if
    left out. `n` counts comparisons; the smallest difference is the mean of theirs.
    """
    if not contrasts:
        return Contrast(subject, rival, math.nan, math.nan, math.nan, "", reason="nothing was compared")
    judged = [each for each in contrasts if math.isfinite(each.low) and math.isfinite(each.high)]
    used, first = judged or contrasts, contrasts[0]
    table = np.array([(each.difference, each.low, each.high, each.smallest_difference) for each in used], float)
    difference, low, high, least = (float(value) for value in table.mean(axis=0))
    return Contrast(
        subject=subject or first.subject,
        rival=rival or first.rival,
        difference=difference,
        low=low,
        high=high,
        n=counted(len(used), "comparison"),
        measure=first.measure,
        smallest_difference=least,
        unit=first.unit,
        decimals=first.decimals,
        reason="" if judged else first.reason,
    )
