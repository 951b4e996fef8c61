"""Mean profiles of perturbations, how reliable they are, and their differentially expressed genes."""

from typing import TYPE_CHECKING

import anndata
import numpy as np
import pandas as pd

from scarceseq.screen.agreement import correlation, mean_squared_error, targeted_gene_mask
from scarceseq.screen.differential import Wilcoxon, top_genes, welch
from scarceseq.seeds import derive

if TYPE_CHECKING:
    from scipy import sparse

    from scarceseq.screen.groups import Groups
    from scarceseq.screen.settings import ScreenSettings


def pseudobulk(groups: "Groups", settings: "ScreenSettings", seed: int) -> tuple[anndata.AnnData, pd.DataFrame]:
    """Mean log expression of each perturbation minus that of control, and its differential genes.

    Cells are read one perturbation at a time.

    Parameters
    ----------
    groups : scarceseq.screen.groups.Groups
    settings : scarceseq.screen.settings.ScreenSettings
    seed : int
        For the split halves.

    Returns
    -------
    (anndata.AnnData, pandas.DataFrame)
        Perturbations x genes, X = delta (float32). Layers: score (Welch's t against control, or the score of the rank
        sum), half_squared_difference (of the deltas of two random halves of perturbed and of control cells, mean over
        halvings). obs: cells, reliability (correlation of these deltas), reliability_centred (the same after the mean
        over perturbations is taken off), half_squared_error; var: control_mean; uns: kind, transductive. Differential
        genes: `scarceseq.screen.differential.COLUMNS`.
    """
    names, genes = groups.names, groups.genes
    control = groups.read("control")
    control_mean, control_variance = mean_and_variance(control)
    ranks = Wilcoxon(control) if settings.differential_test == "wilcoxon" else None
    delta, score = np.zeros((2, len(names), len(genes)), dtype=np.float32)
    tables = []
    for row, name in enumerate(names):
        cells = groups.read(name)
        mean, variance = mean_and_variance(cells)
        if ranks is None:
            moments = (control_mean, control_variance, control.shape[0])
            value, p_value = welch(mean, variance, cells.shape[0], *moments)
        else:
            value, p_value = ranks.test(cells)
        delta[row], score[row] = mean - control_mean, value
        tables.append(top_genes(name, genes, value, p_value, mean, control_mean, settings.top_differential_genes))
    result = anndata.AnnData(delta, layers={"score": score})
    result.obs_names, result.var_names = names, genes
    result.obs["cells"] = [groups.size(name) for name in names]
    result.var["control_mean"] = control_mean
    result.uns = {"kind": settings.kind, "transductive": settings.transductive}
    add_agreement(result, groups, control, settings.split_halves, seed)
    return result, pd.concat(tables, ignore_index=True)


def mean_and_variance(cells: "sparse.csr_matrix") -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (cells - 1 in the denominator; 0 for one cell) of each gene, in float64.

    Parameters
    ----------
    cells : scipy.sparse.csr_matrix, shape (cells, genes)
    """
    count = cells.shape[0]
    mean = column_mean(cells)
    # around the mean, zeros included: no cancellation of large sums
    around = (cells.data.astype(np.float64) - mean[cells.indices]) ** 2
    squared = np.bincount(cells.indices, weights=around, minlength=len(mean))
    stored = np.bincount(cells.indices, minlength=len(mean))
    return mean, (squared + (count - stored) * mean**2) / max(1, count - 1)


def column_mean(cells: "sparse.csr_matrix") -> np.ndarray:
    """Mean of each gene, summed in float64 (scipy sums single precision in single precision)."""
    return np.bincount(cells.indices, weights=cells.data, minlength=cells.shape[1]) / cells.shape[0]


def add_agreement(
    profiles: anndata.AnnData, groups: "Groups", control: "sparse.csr_matrix", halvings: int, seed: int
) -> None:
    """Put the agreement of the deltas from two random halves of every group's cells into obs and layers.

    The perturbed gene itself does not count in obs.
    """
    mask = targeted_gene_mask(profiles.obs_names, profiles.var_names)
    squared = np.zeros(profiles.shape, dtype=np.float32)
    measured = []
    for index in range(halvings):
        halves = np.zeros((2, *profiles.shape), dtype=np.float32)
        control_halves = half_means(control, derive(seed, "half", index, "control"))
        for row, name in enumerate(groups.names):
            halves[:, row] = half_means(groups.read(name), derive(seed, "half", index, name)) - control_halves
        one, other = halves
        squared += (one - other) ** 2 / halvings
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


def half_means(cells: "sparse.csr_matrix", seed: int) -> np.ndarray:
    """Mean profiles of two random halves of some cells, shape (2, genes)."""
    half = np.arange(cells.shape[0]) % 2
    half[np.random.default_rng(seed).permutation(cells.shape[0])] = half.copy()
    return np.stack([column_mean(cells[half == side]) for side in (0, 1)])
