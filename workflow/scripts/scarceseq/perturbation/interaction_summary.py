"""How well predicted genetic interactions agree with the true ones."""

import numpy as np
import pandas as pd

from scarceseq.perturbation.evaluate import ABOUT
from scarceseq.perturbation.interactions import CLASSES

COLUMNS = [*ABOUT, "score", "doubles", "splits", "correlation", "absolute_error", "class", "in_class", "hits"]
LEAST = 3
"""Doubles of a split from which a correlation is taken."""


def summarise_interactions(table: pd.DataFrame) -> pd.DataFrame:
    """One row per predictor, score and class.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scarceseq.perturbation.interactions.true_beside_predicted`.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. ``correlation``: of true and predicted over the doubles of a split, mean over splits that have
        `LEAST` and in which both vary; ``absolute_error``: mean over all; ``hits``: share of the ``in_class`` doubles
        truly of the class that are predicted to be of it, NaN for a score that names none.
    """
    rows = []
    for key, group in table.groupby([*ABOUT, "score"], sort=True):
        both = group.dropna(subset=["true", "predicted"])
        correlations = [correlation(split) for _, split in both.groupby("split")]
        finite = [value for value in correlations if np.isfinite(value)]
        shared = {
            "doubles": both["perturbation"].nunique(),
            "splits": len(finite),
            "correlation": float(np.mean(finite)) if finite else np.nan,
            "absolute_error": (both["true"] - both["predicted"]).abs().mean(),
        }
        names = [called for (score, _), called in CLASSES.items() if score == key[-1]]
        for called in names or [""]:
            true = group["true_class"].eq(called) & (called != "")
            hits = group.loc[true, "predicted_class"].eq(called).mean() if true.any() else np.nan
            about = dict(zip([*ABOUT, "score"], key, strict=True))
            rows.append(about | shared | {"class": called, "in_class": int(true.sum()), "hits": hits})
    return pd.DataFrame(rows, columns=COLUMNS)


def correlation(split: pd.DataFrame) -> float:
    """Pearson correlation of true and predicted; NaN for few doubles, or where one side does not vary."""
    if len(split) < LEAST or min(np.ptp(split["true"]), np.ptp(split["predicted"])) < 1e-9:
        return float("nan")
    return float(np.corrcoef(split["true"], split["predicted"])[0, 1])
