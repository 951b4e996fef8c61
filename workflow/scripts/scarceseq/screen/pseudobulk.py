"""Mean profiles of perturbations, how reliable they are, and their differentially expressed genes."""

from collections.abc import Callable

import anndata
import numpy as np
import pandas as pd
from scipy import sparse, stats

from scarceseq.screen.agreement import correlation, mean_squared_error, targeted_gene_mask
from scarceseq.screen.differential import Wilcoxon, top_genes, welch, welch_against_rest
from scarceseq.screen.groups import Groups
from scarceseq.screen.settings import ScreenSettings
from scarceseq.seeds import derive


def pseudobulk(groups: Groups, settings: ScreenSettings, seed: int) -> tuple[anndata.AnnData, pd.DataFrame]:
    """Mean log expression of each perturbation minus that of control, and its differential genes.

    Cells are read one perturbation at a time.

    Parameters
    ----------
    seed : int
        For the split halves.

    Returns
    -------
    (anndata.AnnData, pandas.DataFrame)
        Perturbations x genes, X = delta (float32). Layers: score (Welch's t against control, or the score of the rank
        sum), score_others (Welch's t against the cells of all other perturbations), half_squared_difference (of the
        deltas of two random halves of perturbed and of control cells, mean over halvings), and of the first halving
        first_half and second_half (deltas), first_half_weight and second_half_weight (1 - adjusted p value of the
        half's cells against that half of the control cells). obs: cells, reliability (correlation of these deltas),
        reliability_centred (the same after the mean over perturbations is taken off), half_squared_error; var:
        control_mean; uns: kind, transductive. Differential genes: `scarceseq.screen.differential.COLUMNS`.
    """
    names, genes = groups.names, groups.genes
    control = groups.read("control")
    control_mean = column_mean(control)
    test = tester(control, settings.differential_test)
    delta, score = np.zeros((2, len(names), len(genes)), dtype=np.float32)
    means, variances = np.zeros((2, len(names), len(genes)))
    tables = []
    for row, name in enumerate(names):
        cells = groups.read(name)
        means[row], variances[row] = mean, variance = mean_and_variance(cells)
        value, p_value = test(cells, mean, variance)
        delta[row], score[row] = mean - control_mean, value
        tables.append(top_genes(name, genes, value, p_value, mean, control_mean, settings.top_differential_genes))
    sizes = np.array([groups.size(name) for name in names])
    others = welch_against_rest(means, variances, sizes).astype(np.float32)
    result = anndata.AnnData(delta, layers={"score": score, "score_others": others})
    result.obs_names, result.var_names = names, genes
    result.obs["cells"] = sizes
    result.var["control_mean"] = control_mean
    result.uns = {"kind": settings.kind, "transductive": settings.transductive}
    add_agreement(result, groups, control, settings, seed)
    return result, pd.concat(tables, ignore_index=True)


def mean_and_variance(cells: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (cells - 1 in the denominator; 0 for one cell) of each gene, in float64."""
    count = cells.shape[0]
    mean = column_mean(cells)
    # around the mean, zeros included: no cancellation of large sums
    around = (cells.data.astype(np.float64) - mean[cells.indices]) ** 2
    squared = np.bincount(cells.indices, weights=around, minlength=len(mean))
    stored = np.bincount(cells.indices, minlength=len(mean))
    return mean, (squared + (count - stored) * mean**2) / max(1, count - 1)


def column_mean(cells: sparse.csr_matrix) -> np.ndarray:
    """Mean of each gene, summed in float64 (scipy sums single precision in single precision)."""
    return np.bincount(cells.indices, weights=cells.data, minlength=cells.shape[1]) / cells.shape[0]


def tester(
    control: sparse.csr_matrix, kind: str
) -> Callable[[sparse.csr_matrix, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Test of some cells, given with their mean and variance, against these control cells: scores and p values."""
    if kind == "wilcoxon":
        ranks = Wilcoxon(control)
        return lambda cells, mean, variance: ranks.test(cells)
    moments = (*mean_and_variance(control), control.shape[0])
    return lambda cells, mean, variance: welch(mean, variance, cells.shape[0], *moments)


def add_agreement(
    profiles: anndata.AnnData, groups: Groups, control: sparse.csr_matrix, settings: ScreenSettings, seed: int
) -> None:
    """Put the agreement of the deltas from two random halves of every group's cells into obs and layers.

    The perturbed gene itself does not count in obs. The first halving is kept: its deltas, and how sure each half is
    of each gene's change.
    """
    mask = targeted_gene_mask(profiles.obs_names, profiles.var_names)
    squared = np.zeros(profiles.shape, dtype=np.float32)
    measured = []
    for index in range(settings.split_halves):
        halves = np.zeros((2, *profiles.shape), dtype=np.float32)
        weights = np.zeros((2, *profiles.shape), dtype=np.float32)
        control_halves = divide(control, derive(seed, "half", index, "control"))
        control_means = [column_mean(half) for half in control_halves]
        tests = [tester(half, settings.differential_test) for half in control_halves] if index == 0 else []
        for row, name in enumerate(groups.names):
            divided = divide(groups.read(name), derive(seed, "half", index, name))
            for side, cells in enumerate(divided):
                halves[side, row] = column_mean(cells) - control_means[side]
                if tests:
                    p_value = tests[side](cells, *mean_and_variance(cells))[1]
                    weights[side, row] = 1 - stats.false_discovery_control(p_value)
        one, other = halves
        if tests:
            profiles.layers.update(first_half=one, second_half=other)
            profiles.layers.update(first_half_weight=weights[0], second_half_weight=weights[1])
        squared += (one - other) ** 2 / settings.split_halves
        measured.append(
            {
                "reliability": correlation(one, other, mask),
                "reliability_centred": correlation(one - one.mean(axis=0), other - other.mean(axis=0), mask),
                "half_squared_error": mean_squared_error(one, other, mask),
            }
        )
    for column in measured[0]:
        profiles.obs[column] = np.mean([values[column] for values in measured], axis=0)
    profiles.layers["half_squared_difference"] = squared


def divide(cells: sparse.csr_matrix, seed: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Two random halves of some cells."""
    half = np.arange(cells.shape[0]) % 2
    half[np.random.default_rng(seed).permutation(cells.shape[0])] = half.copy()
    return cells[half == 0], cells[half == 1]
