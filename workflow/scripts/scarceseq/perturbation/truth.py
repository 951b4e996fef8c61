"""Measured test perturbations of one split, and what metrics need besides."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scarceseq.screen.agreement import targeted_gene_mask

if TYPE_CHECKING:
    import anndata

SCORES = ("score", "score_others")
"""Layers of test statistics: against control, and against all other perturbations."""


@dataclass(frozen=True)
class Truth:
    """Measured test perturbations and what metrics need besides."""

    delta: np.ndarray  # (perturbations, genes), difference to control
    mask: np.ndarray  # (perturbations, genes), false at the perturbed gene itself
    top: np.ndarray  # (perturbations, genes), true at the most differential genes
    top_non_dropout: np.ndarray  # (perturbations, genes), the same among genes that are not silenced altogether
    reference: np.ndarray  # (genes,), mean difference of the pool: the perturbed mean
    reliability: dict  # of arrays (perturbations,): agreement of split halves; empty without cells
    weights: np.ndarray | None = None  # (perturbations, genes), of the weighted squared error; None without cells
    noise: Any = None  # (perturbations, genes), expected squared error of the profile; None without cells
    weights_others: np.ndarray | None = None  # as `weights`, from the score against all other perturbations


def read_truth(profiles: "anndata.AnnData", differential: pd.DataFrame, test: np.ndarray, pool: np.ndarray) -> Truth:
    """Truth of a split, whose test and pool are positions in the profiles; the tables are those of `prepare_screen`."""
    names, genes = profiles.obs_names.to_numpy(dtype=str)[test], profiles.var_names
    delta = np.asarray(profiles.X, dtype=np.float64)
    on_genes = profiles.uns["kind"] != "coordinates"
    mask = targeted_gene_mask(names, genes) if on_genes else np.ones((len(test), len(genes)), dtype=bool)
    wanted = differential[differential["perturbation"].isin(names)]
    tops = []
    for rank in ("rank", "rank_non_dropout"):
        listed = wanted[wanted[rank].notna()] if rank in wanted else wanted[:0]
        top = np.zeros_like(mask)
        rows = {name: row for row, name in enumerate(names)}
        top[listed["perturbation"].map(rows).to_numpy(dtype=int), genes.get_indexer(listed["gene"])] = True
        tops.append(top & mask)
    columns = [c for c in ("reliability", "reliability_centred", "half_squared_error") if c in profiles.obs]
    reliability = {column: profiles.obs[column].to_numpy(dtype=float)[test] for column in columns}
    layers = profiles.layers
    weights, others = (
        gene_weights(layers[name][test].astype(float), mask) if name in layers else None for name in SCORES
    )
    # the profile has all cells, each half has half of them: a quarter of the halves' squared difference
    noise = layers["half_squared_difference"][test].astype(float) / 4 if "half_squared_difference" in layers else None
    return Truth(delta[test], mask, tops[0], tops[1], delta[pool].mean(axis=0), reliability, weights, noise, others)


def gene_weights(score: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Weights of genes by their response (Mejia et al. 2025): absolute score, scaled to [0, 1], squared, sum 1.

    Both arrays are (perturbations, genes). Mejia et al. test against all other perturbations; GEARS and others against
    control.
    """
    size = np.where(mask, np.abs(score), np.nan)
    low, high = np.nanmin(size, axis=1, keepdims=True), np.nanmax(size, axis=1, keepdims=True)
    scaled = np.divide(size - low, high - low, out=np.zeros(size.shape), where=mask & (high > low)) ** 2
    total = scaled.sum(axis=1, keepdims=True)
    return np.divide(scaled, total, out=np.zeros(size.shape), where=total > 0)
