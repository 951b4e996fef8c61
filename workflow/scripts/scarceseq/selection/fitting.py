"""Learning curves: train on the first genes of each ranking, predict the test perturbations of its split."""

import logging

import numpy as np
import pandas as pd

from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.perturbation.metrics import defined_for, read_truth
from scarceseq.perturbation.prior import Prior
from scarceseq.selection.budgets import budget_sizes

log = logging.getLogger(__name__)

# The metric that is kept for each test perturbation; the others are kept as means over them.
PER_PERTURBATION = "mse"
# The metrics of learning curves; predictors trained on the whole pool are judged by all of them elsewhere.
CURVE_METRICS = ("mse", "mse_top", "pearson_delta", "pearson_delta_perturbed_mean", "cosine")
COLUMNS = [
    "screen",
    "graph",
    "selector",
    "predictor",
    "transductive",
    "pool",
    "test",
    "kind",
    "split",
    "draw",
    "budget",
    "budget_share",
    "perturbation",
    "metric",
    "value",
]


def fit_selection(identity, predictor_name, screen, rankings, graph, settings, known=None):
    """Errors of one predictor on test perturbations, for every split, draw and budget of one selector.

    Parameters
    ----------
    identity : dict
        screen, graph, selector: copied into the table.
    predictor_name : str
    screen : dict
        profiles (AnnData), differential (DataFrame), splits (DataFrame), as `prepare_screen` gives them.
    rankings : pandas.DataFrame
        split, draw, rank, gene.
    graph : scarceseq.network.graph.Graph
        The prediction graph, whatever the selection graph.
    settings : scarceseq.selection.settings.BudgetSettings
    known : dict, optional
        Further fields of the predictor's `Prior`: cells, settings.

    Returns
    -------
    pandas.DataFrame
        screen, graph, selector, predictor, transductive, pool, test, kind, split, draw, budget, budget_share,
        perturbation, metric, value. Rows of kind ``mean``: mean over the test perturbations; ``perturbation``: one test
        perturbation, for the metric `PER_PERTURBATION` alone; ``floor`` and ``ceiling``: mean over the test
        perturbations of what the mean of the whole pool reaches, and of what the measurement's noise allows. The latter
        two depend on the split alone.
    """
    profiles, splits = screen["profiles"], screen["splits"]
    kind = str(profiles.uns["kind"])
    predictor = registry.load("perturbation.predictors", predictor_name)
    if kind not in predictor.KINDS:
        raise InputError(f"predictor {predictor_name} is not defined for a screen of kind '{kind}'")
    names = profiles.obs_names.to_numpy(dtype=str)
    graph = graph if "graph" in predictor.NEEDS else None
    prior = Prior(names, profiles.var_names.to_numpy(dtype=str), graph, **(known or {}))
    features = predictor.prepare(prior)
    delta = np.asarray(profiles.X, dtype=np.float64)
    metrics = {name: metric for name, metric in defined_for(kind).items() if name in CURVE_METRICS}
    tables = []
    for split, table in splits.groupby("split", sort=True):
        pool, test = (positions(table.loc[table["role"] == role, "perturbation"], names) for role in ("pool", "test"))
        truth = read_truth(profiles, screen["differential"], test, pool)
        judge = Judge(predictor, features, delta, test, truth, names[test], metrics)
        parts = judge.bounds(pool)
        for draw, ranking in rankings[rankings["split"] == split].groupby("draw", sort=True):
            ranked = positions(ranking.sort_values("rank")["gene"], names)
            if set(ranked) != set(pool):
                raise InputError(
                    f"split {split}, draw {draw}: the ranking is not the split's pool; rerun rank_perturbations"
                )
            for size in budget_sizes(len(pool), settings.budgets, settings.min_budget):
                parts += [part.assign(draw=draw, budget=size) for part in judge.errors(ranked[:size], len(pool))]
        tables.append(pd.concat(parts, ignore_index=True).assign(split=split, pool=len(pool), test=len(test)))
    log.info(
        "predictor %s: %d splits, %d rankings", predictor_name, len(tables), len(rankings.groupby(["split", "draw"]))
    )
    about = identity | {"predictor": predictor_name, "transductive": bool(profiles.uns["transductive"])}
    return finish(pd.concat(tables, ignore_index=True), about)


def positions(genes, names):
    """Positions of genes among the screen's perturbations; all must be there."""
    found = pd.Index(names).get_indexer(pd.Index(genes))
    if (found < 0).any():
        raise InputError(f"gene {list(genes)[int(np.argmax(found < 0))]} is not among the screen's perturbations")
    return found


class Judge:
    """Trains on chosen perturbations of one split and measures on its test set.

    Parameters
    ----------
    predictor : module
        Entry of the registry `perturbation.predictors`.
    features
        From its ``prepare``.
    delta : numpy.ndarray, shape (perturbations, genes)
    test : numpy.ndarray of int
    truth : scarceseq.perturbation.metrics.Truth
    test_names : numpy.ndarray of str
    metrics : dict of str to scarceseq.perturbation.metrics.Metric
    """

    def __init__(self, predictor, features, delta, test, truth, test_names, metrics):
        self.predictor, self.features, self.delta = predictor, features, delta
        self.test, self.truth, self.test_names, self.metrics = test, truth, test_names, metrics
        self.whole_pool = None

    def bounds(self, pool):
        """Rows of kind floor and ceiling, means over the test perturbations."""
        mean = np.broadcast_to(self.delta[pool].mean(axis=0), (len(self.test), self.delta.shape[1]))
        floor = {name: mean_or_nan(metric.value(mean, self.truth)) for name, metric in self.metrics.items()}
        ceiling = {name: mean_or_nan(metric.ceiling(self.truth)) for name, metric in self.metrics.items()}
        return [
            pd.DataFrame({"kind": kind, "metric": list(values), "value": list(values.values())})
            for kind, values in (("floor", floor), ("ceiling", ceiling))
        ]

    def errors(self, chosen, pool_size):
        """Rows of kind mean and perturbation for training on `chosen`; the whole pool is trained on only once."""
        if len(chosen) == pool_size and self.whole_pool is not None:
            return self.whole_pool
        chosen = np.sort(chosen)
        model = self.predictor.fit(self.delta[chosen], chosen, self.features)
        prediction = self.predictor.predict(model, self.test)
        values = {name: metric.value(prediction, self.truth) for name, metric in self.metrics.items()}
        means = [mean_or_nan(value) for value in values.values()]
        single = {"kind": "perturbation", "metric": PER_PERTURBATION, "value": values[PER_PERTURBATION]}
        rows = [
            pd.DataFrame({"kind": "mean", "metric": list(values), "value": means}),
            pd.DataFrame(single | {"perturbation": self.test_names}),
        ]
        if len(chosen) == pool_size:
            self.whole_pool = rows
        return rows


def mean_or_nan(values):
    """Mean over the perturbations for which the metric is known; NaN if there is none."""
    known = np.isfinite(values)
    return float(values[known].mean()) if known.any() else float("nan")


def finish(table, about):
    """The table with its identity, in the order of its columns; text is stored as categories."""
    table = table.assign(**about, budget_share=table["budget"] / table["pool"])
    for column in ("split", "draw", "budget", "pool", "test"):
        table[column] = table[column].astype("Int32")
    for column in ("screen", "graph", "selector", "predictor", "kind", "perturbation", "metric"):
        table[column] = table[column].astype("category")
    return table[COLUMNS]
