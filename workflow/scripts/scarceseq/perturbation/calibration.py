"""What each metric can tell on a screen: its floor, its ceiling, and a positive control between them.

The positive control is the interpolated duplicate (Miller et al. 2025): measured profiles are predicted from a
replicate of themselves, the second half of their cells, where it is sure of a change, and from the training mean where
it is not. A metric by which it does not beat the training mean cannot tell a good prediction from that mean either.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scarceseq.perturbation.evaluate import mean_or_nan, members
from scarceseq.perturbation.metrics import Metric, defined_for, unknown
from scarceseq.perturbation.truth import Truth, gene_weights, read_truth
from scarceseq.seeds import derive

if TYPE_CHECKING:
    import anndata

COLUMNS = ["screen", "split", "pool", "test", "metric", "kind", "value"]
Simulated = tuple[np.ndarray, list[Truth]]
DRAWS = 5
"""Measurements simulated for a ceiling, of each perturbation."""


def calibrate(
    name: str, profiles: "anndata.AnnData", differential: pd.DataFrame, splits: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Floors, ceilings and controls of every metric that a screen can carry, split by split.

    Parameters
    ----------
    profiles, differential, splits
        As `prepare_screen` gives them; the profiles are perturbations x genes, X = delta.
    seed : int
        For simulated measurements.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, each value the mean over the test perturbations. Against whole profiles: ``floor``, what the mean of
        the pool reaches; ``ceiling``, what the expected profile itself reaches against a measurement with this
        screen's noise. Against the profiles of the first half of the cells: ``negative``, the mean of the pool's
        second halves; ``positive``, the interpolated duplicate with weights 1 - adjusted p of the first half (it sees
        the truth's half: an oracle); ``positive_second_half``, with weights of the second half; ``wins``, the share of
        perturbations in which ``positive`` beats ``negative``, ties counting half. NaN where the screen has no cells.
    """
    kind, names = str(profiles.uns["kind"]), profiles.obs_names.to_numpy(dtype=str)
    rows = []
    for split, table in splits.groupby("split", sort=True):
        pool, test = (members(table, role, names) for role in ("pool", "test"))
        truth = read_truth(profiles, differential, test, pool)
        halves = half_profiles(profiles, truth, test, pool)
        simulated = simulate(truth, derive(seed, "ceiling", name, split))
        about = {"screen": name, "split": split, "pool": len(pool), "test": len(test)}
        for metric_name, metric in defined_for(kind).items():
            values = bounds(metric, truth, simulated) | controls(metric, halves)
            rows += [about | {"metric": metric_name, "kind": k, "value": v} for k, v in values.items()]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"split": "Int32", "pool": "Int32", "test": "Int32"})


def bounds(metric: Metric, truth: Truth, simulated: Simulated | None) -> dict[str, float]:
    """Floor and ceiling of a metric against whole profiles; the ceiling is NaN where the noise is not known."""
    mean = np.broadcast_to(truth.reference, truth.delta.shape)
    closed = metric.ceiling(truth)
    ceiling = mean_or_nan(closed) if metric.ceiling is not unknown else simulated_ceiling(metric, simulated)
    return {"floor": mean_or_nan(metric.value(mean, truth)), "ceiling": ceiling}


def simulated_ceiling(metric: Metric, simulated: Simulated | None) -> float:
    """What expected profiles reach against measurements of them, mean over these; NaN if none could be simulated."""
    if simulated is None:
        return float("nan")
    expected, measurements = simulated
    return float(np.mean([mean_or_nan(metric.value(expected, measured)) for measured in measurements]))


def simulate(truth: Truth, seed: int) -> Simulated | None:
    """Expected profiles, and `DRAWS` measurements of them; None where the noise is not known.

    Measured profiles vary more than the expected ones, by their noise. They are therefore drawn towards the mean of
    the pool, by the factor that takes the noise's share off the squares that a perturbation and a gene have, and noise
    is put on again. The most differential genes and the weights of genes are those of the simulated measurement, as
    they are of the real one.
    """
    if truth.noise is None:
        return None
    around = truth.delta - truth.reference
    squares, noise = smoothed(around**2), smoothed(truth.noise)
    signal = np.clip(1 - np.divide(noise, squares, out=np.ones(noise.shape), where=squares > 0), 0.0, 1.0)
    expected = truth.reference + np.sqrt(signal) * around
    generator = np.random.default_rng(seed)
    return expected, [measured_again(expected, truth, generator) for _ in range(DRAWS)]


def measured_again(expected: np.ndarray, truth: Truth, generator: np.random.Generator) -> Truth:
    """Another measurement of expected profiles, (perturbations, genes), with the noise of a truth.

    As many genes are called most differential as in the truth.
    """
    deviation = np.sqrt(smoothed(truth.noise))
    delta = expected + generator.normal(size=expected.shape) * deviation
    deviation = np.maximum(deviation, 1e-3 * deviation.max(initial=0) + np.finfo(float).tiny)
    score = np.where(truth.mask, np.abs(delta) / deviation, -np.inf)
    places = np.argsort(np.argsort(-score, axis=1, kind="stable"), axis=1)
    tops = [places < top.sum(axis=1, keepdims=True) for top in (truth.top, truth.top_non_dropout)]
    weights = gene_weights(delta / deviation, truth.mask)
    others = gene_weights((delta - truth.reference) / deviation, truth.mask)
    return replace(truth, delta=delta, top=tops[0], top_non_dropout=tops[1], weights=weights, weights_others=others)


def smoothed(squares: np.ndarray) -> np.ndarray:
    """Squares, (perturbations, genes), as a product of what each side contributes: single values say little."""
    rows, columns = squares.mean(axis=1, keepdims=True), squares.mean(axis=0, keepdims=True)
    mean = squares.mean()
    return rows * columns / mean if mean > 0 else np.zeros(squares.shape)


def half_profiles(
    profiles: "anndata.AnnData", truth: Truth, test: np.ndarray, pool: np.ndarray
) -> tuple[Truth, dict[str, np.ndarray]] | None:
    """The first halves as truth, and predictions of them: the controls by name; None without cells.

    The most differential genes and the weights of genes are those of all cells, for every control alike.
    """
    layers = profiles.layers
    if "first_half" not in layers:
        return None
    second = layers["second_half"].astype(float)
    reference = second[pool].mean(axis=0)
    predictions = {"negative": np.broadcast_to(reference, second[test].shape)}
    for control, side in (("positive", "first"), ("positive_second_half", "second")):
        weight = layers[f"{side}_half_weight"][test].astype(float)
        predictions[control] = weight * second[test] + (1 - weight) * reference
    measured = layers["first_half"][test].astype(float)
    return replace(truth, delta=measured, reference=reference), predictions


def controls(metric: Metric, halves: tuple[Truth, dict[str, np.ndarray]] | None) -> dict[str, float]:
    """Values of the controls, and the share of perturbations in which the positive one wins."""
    if halves is None:
        return dict.fromkeys(("negative", "positive", "positive_second_half", "wins"), float("nan"))
    truth, predictions = halves
    values = {control: metric.value(prediction, truth) for control, prediction in predictions.items()}
    gained = (values["positive"] - values["negative"]) * (1 if metric.higher_is_better else -1)
    gained = gained[np.isfinite(gained)]
    wins = float(((gained > 0) + 0.5 * (gained == 0)).mean()) if len(gained) else float("nan")
    return {control: mean_or_nan(value) for control, value in values.items()} | {"wins": wins}
