"""Differentially expressed genes of each perturbation, against control cells."""

import numba
import numpy as np
import pandas as pd
from scipy import sparse, stats

COLUMNS = ["perturbation", "gene", "score", "log2_fold_change", "p_value", "adjusted_p_value", "rank"]
COLUMNS += ["rank_non_dropout"]


def welch(
    mean: np.ndarray,
    variance: np.ndarray,
    size: int,
    control_mean: np.ndarray,
    control_variance: np.ndarray,
    control_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Welch's t statistic and two-sided p value of each gene; 0 and 1 where neither group varies.

    Means and variances (with size - 1 in the denominator) of the perturbed and of control cells are (genes,).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        score, p_value = stats.ttest_ind_from_stats(
            mean, np.sqrt(variance), size, control_mean, np.sqrt(control_variance), control_size, equal_var=False
        )
    finite = np.isfinite(score)
    return np.where(finite, score, 0.0), np.where(finite, p_value, 1.0)


def welch_against_rest(means: np.ndarray, variances: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Welch's t statistic of each group's cells against the cells of all other groups together, gene by gene.

    The moments of the others follow from those of all groups, so that no cell is read again. 0 where there are no
    others. Means, variances (with size - 1 in the denominator) and statistics are (groups, genes), sizes (groups,).
    """
    count = sizes[:, None].astype(float)
    total = count.sum()
    grand = (count * means).sum(axis=0) / total
    within = (count - 1) * variances
    squares = (within + count * (means - grand) ** 2).sum(axis=0)
    scores = np.zeros(means.shape)
    for row, size in enumerate(sizes):
        rest = total - size
        if rest < 2:
            continue
        rest_mean = (total * grand - size * means[row]) / rest
        between = size * (means[row] - grand) ** 2 + rest * (rest_mean - grand) ** 2
        rest_variance = np.maximum(squares - within[row] - between, 0.0) / (rest - 1)
        scores[row] = welch(means[row], variances[row], int(size), rest_mean, rest_variance, int(rest))[0]
    return scores


class Wilcoxon:
    """Rank-sum test of groups of cells against one control group, normal approximation with ties corrected.

    Parameters
    ----------
    control : scipy.sparse matrix, shape (cells, genes)
        Not negative. Its values are sorted once, gene by gene.
    """

    def __init__(self, control: sparse.csr_matrix) -> None:
        by_gene = control.tocsc()
        by_gene.sort_indices()
        self._cells = by_gene.shape[0]
        self._starts = by_gene.indptr.astype(np.int64)
        self._values = by_gene.data.copy()
        sort_within(self._values, self._starts)
        self._ties = tie_terms(self._values, self._starts)

    def test(self, cells: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """Score (positive where the group's values are larger) and two-sided p value of each gene."""
        by_gene = cells.tocsc()
        starts, values = by_gene.indptr.astype(np.int64), by_gene.data.copy()
        sort_within(values, starts)
        size = cells.shape[0]
        score = rank_sum_scores(values, starts, size, self._values, self._starts, self._cells, self._ties)
        return score, 2 * stats.norm.sf(np.abs(score))


@numba.njit(cache=True)
def sort_within(values: np.ndarray, starts: np.ndarray) -> None:
    """Sort the values of each gene in place."""
    for gene in range(len(starts) - 1):
        values[starts[gene] : starts[gene + 1]].sort()


@numba.njit(cache=True)
def tie_terms(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sum of t^3 - t over runs of t equal values that are not zero, per gene."""
    terms = np.zeros(len(starts) - 1)
    for gene in range(len(terms)):
        run = 1.0
        for at in range(starts[gene] + 1, starts[gene + 1] + 1):
            if at < starts[gene + 1] and values[at] == values[at - 1]:
                run += 1
            else:
                terms[gene] += run**3 - run
                run = 1.0
    return terms


@numba.njit(cache=True)
def rank_sum_scores(
    values: np.ndarray,
    starts: np.ndarray,
    size: int,
    control_values: np.ndarray,
    control_starts: np.ndarray,
    control_size: int,
    control_ties: np.ndarray,
) -> np.ndarray:
    """z scores of the rank sum; zeros are not stored and are each other's ties.

    Every distinct value of the group is looked up among the control's sorted values, so that a group costs its own
    cells times the logarithm of the control's.
    """
    scores = np.zeros(len(starts) - 1)
    total = float(size + control_size)
    for gene in range(len(scores)):
        group = values[starts[gene] : starts[gene + 1]]
        control = control_values[control_starts[gene] : control_starts[gene + 1]]
        zeros, control_zeros = size - len(group), control_size - len(control)
        wins = 0.5 * zeros * control_zeros
        tied = float(zeros + control_zeros)
        ties = control_ties[gene] + tied**3 - tied
        at = 0
        while at < len(group):
            stop = at + 1
            while stop < len(group) and group[stop] == group[at]:
                stop += 1
            below = np.searchsorted(control, group[at])
            equal = np.searchsorted(control, group[at], side="right") - below
            wins += (stop - at) * (control_zeros + below + 0.5 * equal)
            both, alone = float(equal + stop - at), float(equal)
            ties += (both**3 - both) - (alone**3 - alone)
            at = stop
        variance = size * control_size / 12 * ((total + 1) - ties / (total * (total - 1)))
        if variance > 0:
            scores[gene] = (wins - 0.5 * size * control_size) / np.sqrt(variance)
    return scores


def top_genes(
    name: str,
    genes: np.ndarray,
    score: np.ndarray,
    p_value: np.ndarray,
    mean: np.ndarray,
    control_mean: np.ndarray,
    count: int,
) -> pd.DataFrame:
    """The genes that differ most, by absolute score.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; log2_fold_change is the difference of the means of log1p expression over log 2, finite where a gene
        is silent on one side; adjusted_p_value is that of Benjamini and Hochberg; rank runs from 1 to `count`.
        rank_non_dropout is the same among genes that the perturbed cells express, or that neither they nor control
        cells do (the lists of GEARS). A row has at least one of the two ranks.
    """
    order = np.argsort(-np.abs(score), kind="stable")
    usable = (mean != 0) | (control_mean == 0)
    rank, rank_non_dropout = np.full(len(genes), np.nan), np.full(len(genes), np.nan)
    rank[order[:count]] = np.arange(1, min(count, len(order)) + 1)
    alive = order[usable[order]][:count]
    rank_non_dropout[alive] = np.arange(1, len(alive) + 1)
    rows = order[np.isfinite(rank[order]) | np.isfinite(rank_non_dropout[order])]
    adjusted = stats.false_discovery_control(p_value)
    change = (mean - control_mean) / np.log(2)
    values = [name, genes[rows], score[rows], change[rows], p_value[rows], adjusted[rows], rank[rows]]
    table = pd.DataFrame(dict(zip(COLUMNS, [*values, rank_non_dropout[rows]], strict=True)))
    return table.astype({"rank": "Int32", "rank_non_dropout": "Int32"})


def no_differential_genes() -> pd.DataFrame:
    """The same table without rows, for screens that are not cells."""
    text, floats, rank = pd.Series(dtype=str), pd.Series(dtype=float), pd.Series(dtype="Int32")
    kinds = [text, text, floats, floats, floats, floats, rank, rank]
    return pd.DataFrame(dict(zip(COLUMNS, kinds, strict=True)))
