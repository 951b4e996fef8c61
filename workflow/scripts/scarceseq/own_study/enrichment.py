"""Which sets of genes lie together in the list of differential genes: a competitive test on their statistics."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

CORRELATION = 0.01
"""Of the statistics of genes of one set, by which limma's cameraPR widens the test unless told otherwise."""
COLUMNS = ["gene_set", "genes", "direction", "statistic", "p_value", "adjusted_p_value", "first_genes"]
NAMED = 5


def enrichment(table: pd.DataFrame, sets: Mapping[str, np.ndarray], classes: int) -> pd.DataFrame:
    """Compare the statistics of each set's genes with those of all others, genes of a set being correlated.

    The pre-ranked form of camera (Wu and Smyth 2012): a two-sample t with pooled variance, whose variance is multiplied
    by 1 + (n - 1) x `CORRELATION`. Two classes: the moderated t, so that a set is up or down in the second class. More:
    normal scores of the F's p-values, so that a set can only differ more than the others.

    `table` is from `scarceseq.own_study.differential.differential_genes`; `sets` are rows of it by name, two at least
    and not all (see `scarceseq.gene_sets.rows_of_sets`). `COLUMNS`: size, direction (up, down; differs with more than
    two classes), t, p value, false discovery rate, the genes of the set that lead in that direction; smallest p value
    first.
    """
    two = classes == 2
    p_values = np.clip(table["p_value"].to_numpy(float), 1e-300, 1 - 1e-16)  # within what has a finite quantile
    values = table["statistic"].to_numpy(float) if two else stats.norm.isf(p_values)
    statistic, freedom = np.array([two_sample_t(values, rows) for rows in sets.values()]), len(values) - 2
    p_value = 2 * stats.t.sf(np.abs(statistic), freedom) if two else stats.t.sf(statistic, freedom)
    names = table["gene_name"].astype(str).to_numpy()
    rows = []
    for (name, members), t, p in zip(sets.items(), statistic, p_value, strict=True):
        sign = -1 if two and t < 0 else 1
        leading = members[np.argsort(-sign * values[members], kind="stable")[:NAMED]]
        direction = ("up" if t >= 0 else "down") if two else "differs"
        rows.append((name, len(members), direction, t, p, np.nan, ", ".join(names[leading])))
    result = pd.DataFrame(rows, columns=COLUMNS)
    if len(result):
        result["adjusted_p_value"] = stats.false_discovery_control(p_value)
    order = np.lexsort((result["gene_set"], -result["statistic"].abs(), result["p_value"]))
    return result.iloc[order].reset_index(drop=True)


def two_sample_t(values: np.ndarray, members: np.ndarray) -> float:
    """t of some values against the rest, with the variance of the former widened for their correlation."""
    genes, inside = len(values), len(members)
    outside = genes - inside
    difference = genes / outside * (values[members].mean() - values.mean())
    pooled = ((genes - 1) * values.var(ddof=1) - difference**2 * inside * outside / genes) / (genes - 2)
    widened = 1 + (inside - 1) * CORRELATION
    return float(difference / np.sqrt(pooled * (widened / inside + 1 / outside)))
