"""Which genes to take, one after the other, by each criterion, within a budget."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.perturbation.process import NOISE
from scarceseq.seeds import derive
from scarceseq.selection.cover import Cover, Covering, Limits, better_of_two, greedy
from scarceseq.selection.loops import fastest
from scarceseq.selection.pool import QUANTUM, quantise
from scarceseq.selection.posterior import Posterior

Choice = tuple[np.ndarray, np.ndarray, str]  # candidates in order, gain of each, the rule in words


class State(Protocol):
    """What further genes would add, while genes are taken."""

    def gains(self) -> np.ndarray:
        """What each gene would add."""

    def measure(self, gene: int, /) -> None:
        """Take one."""


class Blend:
    """Weighted mean of what a gene takes from the variance and what it newly reaches, each as a share of its largest.

    `share` is the weight of the variance.
    """

    def __init__(self, posterior: Posterior, cover: Cover, share: float) -> None:
        self.posterior, self.share = posterior, share
        self.cover = Covering(cover, Limits(), fastest())
        first = posterior.gains().max(), float(self.cover.gains.max())
        self.scales = [value or 1.0 for value in first]

    def gains(self) -> np.ndarray:
        """See the class."""
        variance, reached = self.posterior.gains() / self.scales[0], self.cover.gains / self.scales[1]
        return self.share * variance + (1 - self.share) * reached

    def measure(self, gene: int) -> None:
        """Take one."""
        self.posterior.measure(gene)
        self.cover.cover_with(gene)


def as_much_again(limits: Limits, genes: int) -> Limits:
    """Limits of a list of twice the budget; with costs, those given. `InputError` if more must be in than are paid."""
    if limits.costs is not None:
        return limits
    budget, closed = limits.budget or 0, {*limits.measured, *limits.excluded}
    if len(limits.required) > budget:
        raise InputError(f"design: the budget is {limits.budget}, but {len(limits.required)} genes must be in")
    return replace(limits, budget=min(2 * budget, genes - len(closed)))


def choose(
    criterion: str, cover: Cover, start: Callable[[], Posterior], limits: Limits, blend: float, seed: int
) -> Choice:
    """Candidates in the order in which to take them: the budget and as much again, or what costs allow.

    - `criterion`: v_optimal, reach, blend or random
    - `cover`: for `reach` and `blend`; candidates in the order of ties
    - `start`: gives a fresh posterior
    - `blend`: share of the variance in `blend`
    """
    limits = as_much_again(limits, len(cover))
    if criterion == "reach":
        return _by_reach(cover, limits)
    if criterion == "random":
        order = _at_random(len(cover), limits, seed)
        return order, np.full(len(order), np.nan), "at random"

    def run(by_cost: bool) -> tuple[np.ndarray, np.ndarray]:
        state: State = start() if criterion == "v_optimal" else Blend(start(), cover, blend)
        return greedily(state, len(cover), replace(limits, by_cost=by_cost))

    order, gains = run(by_cost=False)
    if limits.costs is None:
        return order, gains, "by gain"
    other = run(by_cost=True)
    if not len(order) and not len(other[0]):
        raise InputError("design: the budget does not pay for a single candidate")
    return (*other, "by gain per cost") if other[1].sum() > gains.sum() else (order, gains, "by gain")


def greedily(state: State, genes: int, limits: Limits) -> tuple[np.ndarray, np.ndarray]:
    """The gene of the largest gain (or gain per cost) that the budget pays for, step by step, and its gain.

    Gains are compared in whole quanta, so that rounding does not decide.
    """
    for gene in limits.measured:
        state.measure(gene)

    def look() -> tuple[np.ndarray, np.ndarray]:
        gains = quantise(state.gains()[:genes])
        by_cost = limits.by_cost and limits.costs is not None
        return (gains / limits.costs if by_cost else gains), gains

    order, gained = in_turn(look, state.measure, genes, limits)
    return order, gained * QUANTUM


def in_turn(
    look: Callable[[], tuple[np.ndarray, np.ndarray]], take: Callable[[int], None], genes: int, limits: Limits
) -> tuple[np.ndarray, np.ndarray]:
    """The gene of the largest score that the budget pays for, step by step, the first of equals; required ones first.

    - `look`: gives scores of all genes at this step, and what is to be kept of the one taken
    - `take`: called with each gene that is taken

    Returns genes, and what was kept of each. Raises `InputError` if the budget does not pay for all that is required.
    """
    costs = np.ones(genes, np.int64) if limits.costs is None else limits.costs
    money = np.inf if limits.budget is None else float(limits.budget)
    closed, required = np.zeros(genes, dtype=bool), np.zeros(genes, dtype=bool)
    closed[[*limits.measured, *limits.excluded]] = True
    required[list(limits.required)] = True
    order, kept = [], []
    for free in (required & ~closed, ~required & ~closed):
        while (free & (costs <= money)).any():
            scores, values = look()
            best = int(np.argmax(np.where(free & (costs <= money), scores, -np.inf)))
            take(best)
            free[best] = False
            money -= costs[best]
            order.append(best)
            kept.append(values[best])
    if len(set(order) & set(limits.required)) < len(set(limits.required)):
        raise InputError("design: the budget does not pay for what must be in")
    return np.array(order, dtype=int), np.array(kept)


def posterior_of(features: sparse.csr_array, worth: np.ndarray) -> Callable[[], Posterior]:
    """Function that starts the posterior of the predictor `mean_kernel` with nothing measured."""
    return lambda: Posterior(features, worth, NOISE)


def _by_reach(cover: Cover, limits: Limits) -> Choice:
    if limits.costs is None:
        order, gains = greedy(cover, limits)
        return order, gains * QUANTUM, "by gain"
    order, gains, by_cost = better_of_two(cover, limits)
    if not len(order):
        raise InputError("design: the budget does not pay for a single candidate")
    return order, gains * QUANTUM, "by gain per cost" if by_cost else "by gain"


def _at_random(genes: int, limits: Limits, seed: int) -> np.ndarray:
    """Required genes, then the others in an order of the seed, as long as the budget pays for them."""
    required = np.array(limits.required, dtype=int)
    others = np.setdiff1d(np.arange(genes), [*limits.required, *limits.measured, *limits.excluded])
    drawn = np.concatenate([required, np.random.default_rng(derive(seed, "design order")).permutation(others)])
    costs = np.ones(genes) if limits.costs is None else limits.costs
    spent = np.cumsum(costs[drawn.astype(int)])
    return drawn[: int(np.searchsorted(spent, limits.budget, side="right"))].astype(int)
