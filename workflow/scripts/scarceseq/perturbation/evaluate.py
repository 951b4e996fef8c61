"""Full-pool benchmark of predictors: train on the pool of each split, measure on its test perturbations."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from scarceseq import registry
from scarceseq.perturbation.metrics import METRICS, defined_for
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.truth import read_truth
from scarceseq.progress import follow

Profile = Callable[[np.ndarray], np.ndarray]
Watch = Callable[[int, np.ndarray, np.ndarray, Profile], None]

log = logging.getLogger(__name__)

ABOUT = ["screen", "predictor", "source"]
ERRORS = [*ABOUT, "pool", "test", "split", "perturbation", "error"]
COLUMNS = [*ABOUT, "transductive", "pool", "test", "split", "metric", "value", "status", "reason"]


def evaluate(
    identity: dict[str, str], screen: dict[str, Any], prior: Prior, watch: Watch | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values of every metric of one predictor on one screen.

    Parameters
    ----------
    identity : dict
        screen, predictor, source (name of the graph or embedding, or ``none``).
    screen : dict
        profiles (AnnData), differential (DataFrame), splits (DataFrame), as `prepare_screen` gives them.
    watch : function (split, pool, test, profile), optional
        Called with each split's model, as the function `profile` from positions to predicted differences.

    Returns
    -------
    values : pandas.DataFrame
        `COLUMNS`, a row per split and metric, its value the mean over the test perturbations. What the kind of screen
        cannot carry has one row with status ``not defined`` and the reason. Floors and ceilings, which depend on the
        split alone: `scarceseq.perturbation.calibration.calibrate`.
    errors : pandas.DataFrame
        `ERRORS`, the squared error of each test perturbation of each split.
    """
    profiles, kind = screen["profiles"], str(screen["profiles"].uns["kind"])
    predictor = registry.load("perturbation.predictors", identity["predictor"])
    place = identity | {"transductive": bool(profiles.uns["transductive"])}
    if kind not in predictor.KINDS:
        reason = f"the predictor is not defined for a screen of kind {kind}"
        rows = [{"metric": metric, "status": "not defined", "reason": reason} for metric in METRICS]
        return finish(rows, place), pd.DataFrame(columns=ERRORS)
    features, delta = predictor.prepare(prior), np.asarray(profiles.X, dtype=np.float64)

    def predict(split: int, pool: np.ndarray, test: np.ndarray) -> np.ndarray:
        profile = partial(predictor.predict, predictor.fit(delta[pool], pool, features))
        if watch is not None:
            watch(split, pool, test, profile)
        return profile(test)

    return judge(place, screen, predict)


def judge(
    identity: dict[str, Any], screen: dict[str, Any], predict: Callable[[int, np.ndarray, np.ndarray], np.ndarray]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `evaluate` returns, of what a function (split, pool, test) predicts, (test, genes).

    Pool and test are positions among the screen's perturbations.
    """
    profiles, kind = screen["profiles"], str(screen["profiles"].uns["kind"])
    names, metrics, rows, errors = profiles.obs_names.to_numpy(dtype=str), defined_for(kind), [], []
    for split, table in follow(screen["splits"].groupby("split", sort=True), "splits"):
        pool, test = (members(table, role, names) for role in ("pool", "test"))
        truth = read_truth(profiles, screen["differential"], test, pool)
        prediction = predict(int(str(split)), pool, test)
        values = {name: metric.value(prediction, truth) for name, metric in metrics.items()}
        sizes = {"split": split, "pool": len(pool), "test": len(test)}
        rows += [
            sizes | {"status": "run", "reason": "", "metric": name, "value": mean_or_nan(value)}
            for name, value in values.items()
        ]
        errors.append(pd.DataFrame(identity | sizes | {"perturbation": names[test], "error": values["mse"]}))
    rows += [
        {"metric": name, "status": "not defined", "reason": metric.undefined[kind]}
        for name, metric in METRICS.items()
        if kind in metric.undefined
    ]
    log.info("%s: %d splits", identity, len(set(screen["splits"]["split"])))
    table = finish(rows, identity | {"transductive": bool(profiles.uns["transductive"])})
    return table, pd.concat(errors, ignore_index=True).reindex(columns=ERRORS)


def members(table: pd.DataFrame, role: str, names: np.ndarray) -> np.ndarray:
    """Positions of one role's perturbations in a split, rising."""
    return np.flatnonzero(np.isin(names, table.loc[table["role"] == role, "perturbation"].to_numpy(dtype=str)))


def mean_or_nan(values: np.ndarray) -> float:
    """Mean over the perturbations for which the metric is known; NaN if there is none."""
    finite = np.isfinite(values)
    return float(values[finite].mean()) if finite.any() else float("nan")


def finish(rows: list[dict[str, Any]], identity: Mapping[str, Any]) -> pd.DataFrame:
    """Table of the rows with their identity, in the order of its columns."""
    table = pd.DataFrame(rows).assign(**identity).reindex(columns=COLUMNS)
    return table.astype({"split": "Int32", "pool": "Int32", "test": "Int32"})
