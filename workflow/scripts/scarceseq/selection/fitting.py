"""Learning curves: train on the first genes of each ranking, predict the test perturbations of its split."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.perturbation.metrics import METRICS
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.truth import read_truth
from scarceseq.progress import follow
from scarceseq.selection.budgets import budget_sizes

if TYPE_CHECKING:
    from scarceseq.network.graph import Graph
    from scarceseq.perturbation.metrics import Metric
    from scarceseq.perturbation.predictor import Predictor
    from scarceseq.perturbation.truth import Truth
    from scarceseq.selection.settings import BudgetSettings

log = logging.getLogger(__name__)

# The metrics of learning curves; predictors trained on the whole pool are judged by all of them elsewhere.
CURVE_METRICS = {
    "cells": ("mse", "mse_top", "pearson_delta", "pearson_delta_perturbed_mean"),
    "profiles": ("mse", "pearson_delta", "pearson_delta_perturbed_mean"),
    "coordinates": ("mse", "cosine"),
}
COLUMNS = ["screen", "graph", "selector", "predictor", "transductive", "pool", "test", "kind", "split", "draw"]
COLUMNS += ["model_seed", "round", "budget", "budget_share", "metric", "value"]


def fit_selection(
    identity: dict[str, str],
    predictor_name: str,
    screen: dict[str, Any],
    rankings: pd.DataFrame,
    graph: "Graph",
    settings: "BudgetSettings",
    fields: dict[str, Any] | None = None,
) -> pd.DataFrame:
    """Errors of one predictor on test perturbations, for every selector, split, draw and budget.

    - `identity`: screen, graph: copied into the table
    - `screen`: profiles (AnnData), differential (DataFrame), splits (DataFrame), as `prepare_screen` gives them
    - `rankings`: columns selector, split, draw, round, rank, gene
    - `graph`: the prediction graph, whatever the selection graph
    - `fields`: further fields of the predictor's `Prior`: cells, settings

    Returns `COLUMNS`. Rows of kind ``mean``: mean over the test perturbations; ``floor`` and ``ceiling``: the
    same of what the mean of the whole pool reaches, and of what the measurement's noise allows. The latter two depend
    on the split alone. ``round``: the last round that the budget needs.
    """
    profiles, splits = screen["profiles"], screen["splits"]
    kind = str(profiles.uns["kind"])
    predictor = registry.load("perturbation.predictors", predictor_name)
    if kind not in predictor.KINDS:
        raise InputError(f"predictor {predictor_name} is not defined for a screen of kind '{kind}'")
    names = profiles.obs_names.to_numpy(dtype=str)
    fields = dict(fields or {})
    if "kernels" in predictor.NEEDS and graph is not None:
        fields["kernels"] = (graph,)
    needed = graph if "graph" in predictor.NEEDS else None
    prior = Prior(names, profiles.var_names.to_numpy(dtype=str), needed, **fields)
    features = predictor.prepare(prior)
    delta = np.asarray(profiles.X, dtype=np.float64)
    metrics = {name: METRICS[name] for name in CURVE_METRICS[kind]}
    rows = []
    for split, table in follow(splits.groupby("split", sort=True), "splits"):
        pool, test = (positions(table.loc[table["role"] == role, "perturbation"], names) for role in ("pool", "test"))
        truth = read_truth(profiles, screen["differential"], test, pool)
        judge = Judge(predictor, features, delta, test, truth, metrics, settings.model_seeds)
        about = {"split": split, "pool": len(pool), "test": len(test)}
        sizes = budget_sizes(len(pool), settings.budgets, settings.min_budget, settings.budget_counts)
        of_split = rankings[rankings["split"] == split].groupby(["selector", "draw"], sort=True)
        for (selector, draw), ranking in of_split:
            key = about | {"selector": selector, "draw": draw}
            rows += [key | row for row in judge.curve(ranking.sort_values("rank"), names, pool, sizes, key)]
            rows += [about | {"selector": selector} | row for row in judge.bounds(pool)]
    log.info("predictor %s: %d errors", predictor_name, len(rows))
    about = identity | {"predictor": predictor_name, "transductive": bool(profiles.uns["transductive"])}
    return finish(pd.DataFrame(rows).drop_duplicates(ignore_index=True), about)


def positions(genes: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """Positions of genes among the screen's perturbations; all must be there."""
    places = pd.Index(names).get_indexer(pd.Index(genes))
    if (places < 0).any():
        raise InputError(f"gene {list(genes)[int(np.argmax(places < 0))]} is not among the screen's perturbations")
    return places


class Judge:
    """Trains on chosen perturbations of one split and measures on its test set.

    - `predictor`: entry of the registry `perturbation.predictors`; `features` are from its ``prepare``
    - `test`: positions in `delta` (perturbations, genes)
    - `model_seeds`: how often a predictor that draws random numbers is trained
    """

    def __init__(
        self,
        predictor: "Predictor",
        features: Any,
        delta: np.ndarray,
        test: np.ndarray,
        truth: "Truth",
        metrics: "dict[str, Metric]",
        model_seeds: int,
    ) -> None:
        self.predictor, self.features, self.delta = predictor, features, delta
        self.test, self.truth, self.metrics = test, truth, metrics
        self.model_seeds = range(model_seeds) if getattr(predictor, "RANDOM", False) else [0]
        self.rows = {}  # what was computed, by the chosen set

    def bounds(self, pool: np.ndarray) -> list[dict[str, Any]]:
        """Rows of kind floor and ceiling, means over the test perturbations; computed once."""
        if "bounds" not in self.rows:
            mean = np.broadcast_to(self.delta[pool].mean(axis=0), (len(self.test), self.delta.shape[1]))
            floor = {name: metric.value(mean, self.truth) for name, metric in self.metrics.items()}
            ceiling = {name: metric.ceiling(self.truth) for name, metric in self.metrics.items()}
            self.rows["bounds"] = [
                {"kind": kind, "metric": name, "value": mean_or_nan(value)}
                for kind, values in (("floor", floor), ("ceiling", ceiling))
                for name, value in values.items()
            ]
        return self.rows["bounds"]

    def curve(
        self, ranking: pd.DataFrame, names: Sequence[str], pool: np.ndarray, sizes: Sequence[int], where: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Rows of kind mean for the budgets that the ranking reaches, and for the whole pool."""
        ranked, rounds = positions(ranking["gene"], names), ranking["round"].to_numpy()
        if len(set(ranked)) < len(ranked) or not set(ranked) <= set(pool) or not len(ranked):
            raise InputError(
                f"{where['selector']}, split {where['split']}, draw {where['draw']}: the ranking is not of the split's "
                "pool; rerun the ranking"
            )
        rows = []
        for size in sizes:
            if size <= len(ranked) or size == len(pool):
                chosen = pool if size == len(pool) else ranked[:size]
                about = {"kind": "mean", "budget": size, "round": int(rounds[min(size, len(rounds)) - 1])}
                rows += [about | row for row in self.errors(np.sort(chosen))]
        return rows

    def errors(self, chosen: Any) -> list[dict[str, Any]]:
        """model_seed, metric and value for training on some perturbations; a set is trained on only once."""
        key = chosen.tobytes()
        if key not in self.rows:
            rows = []
            for seed in self.model_seeds:
                options = {"seed": seed} if getattr(self.predictor, "RANDOM", False) else {}
                model = self.predictor.fit(self.delta[chosen], chosen, self.features, **options)
                prediction = self.predictor.predict(model, self.test)
                rows += [
                    {"model_seed": seed, "metric": name, "value": mean_or_nan(metric.value(prediction, self.truth))}
                    for name, metric in self.metrics.items()
                ]
            self.rows[key] = rows
        return self.rows[key]


def mean_or_nan(values: np.ndarray) -> float:
    """Mean over the perturbations for which the metric is known; NaN if there is none."""
    finite = np.isfinite(values)
    return float(values[finite].mean()) if finite.any() else float("nan")


def finish(table: pd.DataFrame, about: dict[str, Any]) -> pd.DataFrame:
    """The table with its identity, in the order of its columns; text is stored as categories."""
    table = table.assign(**about, budget_share=table["budget"] / table["pool"])
    for column in ("split", "draw", "model_seed", "round", "budget", "pool", "test"):
        table[column] = table[column].astype("Int32")
    for column in ("screen", "graph", "selector", "predictor", "kind", "metric"):
        table[column] = table[column].astype("category")
    return table[COLUMNS]
