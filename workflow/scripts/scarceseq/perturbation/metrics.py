"""Metrics of predicted differences to control, each defined for the kinds of screen that can carry it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scarceseq.screen.agreement import correlation, cosine, mean_squared_error, targeted_gene_mask

ON_COORDINATES = "coordinates are not genes: a rotation would change it"


@dataclass(frozen=True)
class Truth:
    """Measured test perturbations and what metrics need besides."""

    delta: np.ndarray  # (perturbations, genes), difference to control
    mask: np.ndarray  # (perturbations, genes), false at the perturbed gene itself
    top: np.ndarray  # (perturbations, genes), true at the most differential genes
    reference: np.ndarray  # (genes,), mean difference of the pool: the perturbed mean
    reliability: dict  # of arrays (perturbations,): agreement of split halves; empty without cells


@dataclass(frozen=True)
class Metric:
    """One metric: its value and its ceiling, per perturbation."""

    higher_is_better: bool
    value: Callable  # (prediction, Truth) -> (perturbations,)
    ceiling: Callable  # (Truth) -> (perturbations,), NaN where not known
    undefined: dict  # kind of screen -> reason


def read_truth(profiles, differential, test, pool):
    """Truth of a split.

    Parameters
    ----------
    profiles : anndata.AnnData
        Perturbations x genes, X = delta.
    differential : pandas.DataFrame
        perturbation, gene, rank.
    test, pool : numpy.ndarray of int
        Positions in `profiles`.
    """
    names, genes = profiles.obs_names.to_numpy(dtype=str)[test], profiles.var_names
    delta = np.asarray(profiles.X, dtype=np.float64)
    on_genes = profiles.uns["kind"] == "cells"
    mask = targeted_gene_mask(names, genes) if on_genes else np.ones((len(test), len(genes)), dtype=bool)
    top = np.zeros_like(mask)
    wanted = differential[differential["perturbation"].isin(names)]
    rows = {name: row for row, name in enumerate(names)}
    top[wanted["perturbation"].map(rows).to_numpy(dtype=int), genes.get_indexer(wanted["gene"])] = True
    columns = [c for c in ("reliability", "reliability_centred", "half_squared_error") if c in profiles.obs]
    reliability = {column: profiles.obs[column].to_numpy(dtype=float)[test] for column in columns}
    return Truth(delta[test], mask, top & mask, delta[pool].mean(axis=0), reliability)


def pearson_ceiling(column):
    """Highest expected correlation with the measured profile, sqrt(2 r / (1 + r)) for split-half correlation r."""

    def ceiling(truth):
        if column not in truth.reliability:
            return unknown(truth)
        half = np.clip(truth.reliability[column], 0, 1)
        return np.sqrt(2 * half / (1 + half))

    return ceiling


def squared_error_ceiling(truth):
    """Least expected squared error: the noise of the measured profile, a quarter of the halves' squared difference."""
    return truth.reliability["half_squared_error"] / 4 if "half_squared_error" in truth.reliability else unknown(truth)


def unknown(truth):
    """No ceiling is known."""
    return np.full(len(truth.delta), np.nan)


METRICS = {
    "mse": Metric(
        higher_is_better=False,
        value=lambda prediction, truth: mean_squared_error(prediction, truth.delta, truth.mask),
        ceiling=squared_error_ceiling,
        undefined={},
    ),
    "mse_top": Metric(
        higher_is_better=False,
        value=lambda prediction, truth: mean_squared_error(prediction, truth.delta, truth.top),
        ceiling=unknown,
        undefined={"coordinates": "no cells, hence no differentially expressed genes"},
    ),
    "pearson_delta": Metric(
        higher_is_better=True,
        value=lambda prediction, truth: correlation(prediction, truth.delta, truth.mask),
        ceiling=pearson_ceiling("reliability"),
        undefined={"coordinates": ON_COORDINATES},
    ),
    "pearson_delta_perturbed_mean": Metric(
        higher_is_better=True,
        value=lambda prediction, truth: correlation(
            prediction - truth.reference, truth.delta - truth.reference, truth.mask
        ),
        ceiling=pearson_ceiling("reliability_centred"),
        undefined={"coordinates": ON_COORDINATES},
    ),
    "cosine": Metric(
        higher_is_better=True,
        value=lambda prediction, truth: cosine(prediction, truth.delta, truth.mask),
        ceiling=unknown,
        undefined={"cells": "on genes the correlation of differences is given"},
    ),
}


def defined_for(kind):
    """Metrics that a kind of screen can carry, by name."""
    return {name: metric for name, metric in METRICS.items() if kind not in metric.undefined}
