"""Mean profiles of perturbations, how reliable they are, and their differentially expressed genes."""

import warnings

import anndata
import numpy as np
import pandas as pd
import scanpy
from scipy import sparse

from scarceseq.screen.agreement import correlation, mean_squared_error, targeted_gene_mask
from scarceseq.seeds import derive


def pseudobulk(cells, settings, seed):
    """Mean log expression of each perturbation minus that of control.

    Parameters
    ----------
    cells : anndata.AnnData
        Log-normalised, obs ``perturbation`` with ``control``.
    settings : scarceseq.screen.settings.ScreenSettings
    seed : int
        For the split halves.

    Returns
    -------
    anndata.AnnData
        Perturbations x genes, X = delta (float32). obs: cells, reliability (correlation of the deltas of two random
        halves of perturbed and of control cells), reliability_centred (the same after the mean over perturbations is
        taken off), half_squared_error; var: control_mean; uns: kind, transductive.
    """
    labels = cells.obs["perturbation"].to_numpy(dtype=str)
    names = np.array(sorted(set(labels) - {"control"}))
    means = group_means(cells.X, labels, ["control", *names])
    delta = means[1:] - means[0]
    halves = [
        half_agreement(cells, labels, names, derive(seed, "half", index)) for index in range(settings.split_halves)
    ]
    result = anndata.AnnData(delta.astype(np.float32))
    result.obs_names, result.var_names = names, cells.var_names
    counts = pd.Series(labels).value_counts()
    result.obs["cells"] = counts.reindex(names).to_numpy()
    for column in halves[0]:
        result.obs[column] = np.mean([half[column] for half in halves], axis=0)
    result.var["control_mean"] = means[0]
    result.uns = {"kind": settings.kind, "transductive": settings.transductive}
    return result


def group_means(values, labels, groups):
    """Mean row of each group, in float64.

    Parameters
    ----------
    values : sparse or dense array, shape (cells, genes)
    labels : array of str, shape (cells,)
    groups : sequence of str

    Returns
    -------
    numpy.ndarray, shape (groups, genes)
    """
    member = pd.Index(groups).get_indexer(labels)
    cells = np.flatnonzero(member >= 0)
    size = np.bincount(member[cells], minlength=len(groups))
    weights = sparse.csr_array((1 / size[member[cells]], (member[cells], cells)), shape=(len(groups), len(labels)))
    means = weights @ sparse.csr_array(values, dtype=np.float64)
    return means.toarray()


def half_agreement(cells, labels, names, seed):
    """Agreement of the deltas from two random halves of every group's cells, the control's included.

    Returns
    -------
    dict of str to numpy.ndarray, shape (perturbations,)
        reliability, reliability_centred, half_squared_error; the perturbed gene itself does not count.
    """
    generator = np.random.default_rng(seed)
    half = np.empty(len(labels), dtype=int)
    for group in ["control", *names]:
        rows = np.flatnonzero(labels == group)
        half[generator.permutation(rows)] = np.arange(len(rows)) % 2
    deltas = []
    for side in (0, 1):
        means = group_means(cells.X[half == side], labels[half == side], ["control", *names])
        deltas.append(means[1:] - means[0])
    mask = targeted_gene_mask(names, cells.var_names)
    return {
        "reliability": correlation(*deltas, mask),
        "reliability_centred": correlation(*(delta - delta.mean(axis=0) for delta in deltas), mask),
        "half_squared_error": mean_squared_error(*deltas, mask),
    }


def differential_genes(cells, count):
    """The genes that differ most from control in each perturbation (Welch's t-test, by absolute score).

    Returns
    -------
    pandas.DataFrame
        perturbation, gene, score, log2_fold_change (difference of the means of log1p expression, over log 2: finite
        where a gene is silent on one side), p_value, adjusted_p_value (Benjamini-Hochberg), rank (from 1).
    """
    data = anndata.AnnData(cells.X, obs=cells.obs.copy(), var=cells.var[[]].copy(), uns={"log1p": {"base": None}})
    data.obs["perturbation"] = data.obs["perturbation"].astype("category")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scanpy fragments its own frames
        scanpy.tl.rank_genes_groups(
            data, "perturbation", reference="control", method="t-test", rankby_abs=True, n_genes=min(count, data.n_vars)
        )
    table = scanpy.get.rank_genes_groups_df(data, group=None)
    table.columns = ["perturbation", "gene", "score", "log2_fold_change", "p_value", "adjusted_p_value"]
    table["perturbation"] = table["perturbation"].astype(str)
    labels = cells.obs["perturbation"].to_numpy(dtype=str)
    groups = ["control", *sorted(set(table["perturbation"]))]
    delta = group_means(cells.X, labels, groups)
    delta -= delta[0].copy()
    rows, columns = pd.Index(groups).get_indexer(table["perturbation"]), cells.var_names.get_indexer(table["gene"])
    table["log2_fold_change"] = delta[rows, columns] / np.log(2)
    table["rank"] = table.groupby("perturbation", sort=False).cumcount() + 1
    return table.sort_values(["perturbation", "rank"], ignore_index=True)


def no_differential_genes():
    """The same table without rows, for screens that are not cells."""
    text, number = pd.Series(dtype=str), pd.Series(dtype=float)
    columns = {"perturbation": text, "gene": text, "score": number, "log2_fold_change": number, "p_value": number}
    return pd.DataFrame(columns | {"adjusted_p_value": number, "rank": pd.Series(dtype=int)})
