"""What a list is worth at each of its sizes, beside random lists of the same cost."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import sparse

from scarceseq.perturbation.process import NOISE
from scarceseq.seeds import derive
from scarceseq.selection.cover import Cover, Limits, marginal_gains
from scarceseq.selection.posterior import error_curve

BAND = (2.5, 50, 97.5)


def coverage_of(cover: Cover, limits: Limits, free: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Function: percent of what all candidates and measured genes reach together, before and after each choice."""
    measured = np.array(limits.measured, dtype=int)
    start = int(marginal_gains(cover, measured).sum())
    total = max(int(marginal_gains(cover, np.concatenate([measured, free]).astype(int)).sum()), 1)

    def share(order: np.ndarray) -> np.ndarray:
        gained = marginal_gains(cover, np.concatenate([measured, order]).astype(int))[len(measured) :]
        return 100 * (start + np.concatenate([[0], np.cumsum(gained)])) / total

    return share


def error_of(features: sparse.csr_array, limits: Limits, worth: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Function: expected squared error of predicting the targets that are not measured, before and after each choice.

    Percent of the error of a prediction by the mean effect, were that known exactly.
    """
    measured = np.array(limits.measured, dtype=int)
    return lambda order: 100 * error_curve(features, order, measured, worth, NOISE)


def sums_of(prices: np.ndarray) -> np.ndarray:
    """What the first ones cost together, from none to all, in millionths: equal sums are equal in any order."""
    return np.round(np.concatenate([[0.0], np.cumsum(prices)]), 6)


def curve_table(
    measures: dict[str, Callable[[np.ndarray], np.ndarray]],
    chosen: np.ndarray,
    limits: Limits,
    free: np.ndarray,
    price: np.ndarray,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Each measure of the list at each size, and the band that holds 95% of random lists.

    Random lists contain what must be in, too; they are read at the cost of each of our choices.

    - `measures`: by name, a function from an order to values before and after each choice
    - `chosen`, `free`: the list; what may be chosen
    - `price`: cost of each gene

    Returns columns genes, cost, then for each measure its name and with ``_low``, ``_median``, ``_high`` what random
    lists reach.
    """
    cost = sums_of(price[chosen])
    required = np.array(limits.required, dtype=int)
    others = np.setdiff1d(free, required)
    random: dict[str, list[np.ndarray]] = {name: [] for name in measures}
    for draw in range(draws):
        drawn = np.random.default_rng(derive(seed, "design", draw)).permutation(others)
        drawn = np.concatenate([required, drawn]).astype(int)
        spent = sums_of(price[drawn])
        reach = int(np.searchsorted(spent, cost[-1], side="right"))
        at = np.searchsorted(spent[:reach], cost, side="right") - 1
        for name, measure in measures.items():
            random[name].append(measure(drawn[: reach - 1])[at])
    table = pd.DataFrame({"genes": np.arange(len(cost)), "cost": cost})
    for name, measure in measures.items():
        table[name] = measure(chosen)
        for ending, values in zip(("low", "median", "high"), np.percentile(random[name], BAND, axis=0), strict=True):
            table[f"{name}_random_{ending}"] = values
    return table


def knee(curve: pd.DataFrame) -> int:
    """Row of the curve farthest above the straight line between its ends (Satopaa et al. 2011)."""
    x, y = curve["cost"].to_numpy(), curve["coverage_percent"].to_numpy()
    if len(x) < 3 or y[-1] <= y[0]:
        return len(x) - 1
    return int(np.argmax((y - y[0]) / (y[-1] - y[0]) - (x - x[0]) / (x[-1] - x[0])))


def equivalent_random(curve: pd.DataFrame, taken: int) -> int | None:
    """How many random genes are expected to predict as well as the first `taken`; None if the curve ends before."""
    left = curve["expected_error"].iloc[taken]
    enough = curve["genes"][curve["expected_error_random_median"] <= left]
    return int(enough.iloc[0]) if len(enough) else None
