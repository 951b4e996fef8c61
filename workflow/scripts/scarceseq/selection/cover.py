"""Greedy cover with gains kept up to date, so that a step costs what the choice changes and no more."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np

from scarceseq.errors import InputError
from scarceseq.selection.loops import Rows, fastest

ONCE, HALVING = 63, 1  # bits by which what is left of a covered item shrinks: to nothing, or to half


@dataclass(frozen=True)
class Cover:
    """What each candidate covers, and what that is worth; candidates in the order in which ties are broken.

    - `starts` (candidates + 1,) int64
    - `items` (entries,) int32: those that candidate i covers lie between starts[i] and starts[i + 1], each once
    - `weights` (items,) int64: worth of each item, if `values` is None
    - `values` (entries,) int64: how well each candidate covers each of its items; the best of the chosen counts
    - `shrink`: `ONCE`: an item counts when it is first covered; `HALVING`: each further time, half the time before
    """

    starts: np.ndarray
    items: np.ndarray
    weights: np.ndarray
    values: np.ndarray | None = None
    shrink: int = ONCE

    def __post_init__(self) -> None:
        worth = self.weights if self.values is None else self.values
        if (worth < 0).any():
            raise InputError(
                "cover: a weight is negative, so that covering more could be worth less; give weights >= 0"
            )
        if worth.sum(dtype=float) >= 2**52:
            raise InputError("cover: the weights add up to more than 2**52 quanta; divide them by a constant")

    def __len__(self) -> int:
        return len(self.starts) - 1

    @functools.cached_property
    def rows(self) -> Rows:
        """What each candidate covers, in compressed form, with values (empty if there are none)."""
        return self.starts, self.items, np.empty(0, np.int64) if self.values is None else self.values

    @functools.cached_property
    def columns(self) -> Rows:
        """Candidates of each item, in the same form."""
        return fastest().transpose(*self.rows, len(self.weights))

    @functools.cached_property
    def first_gains(self) -> np.ndarray:
        """Gain of each candidate when nothing is covered."""
        if self.values is None:
            return fastest().row_sums(self.starts, self.items, self.weights)
        return fastest().row_sums(self.starts, np.arange(len(self.items)), self.values)


@dataclass(frozen=True)
class Limits:
    """What a choice must respect; positions are those of candidates.

    - `budget`: most that may be spent, `measured` not counted; all candidates if None
    - `costs` (candidates,) int64: positive, in the units of the budget; 1 each if None
    - `by_cost`: whether the gain per cost decides, not the gain
    - `measured`: covered from the start, and not chosen
    - `required`: taken first, in greedy order
    - `excluded`: never taken
    """

    budget: int | None = None
    costs: np.ndarray | None = None
    by_cost: bool = False
    measured: tuple = ()
    required: tuple = ()
    excluded: tuple = ()


def greedy(
    cover: Cover, limits: Limits | None = None, loops: ModuleType | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Order of candidates by greedy cover.

    At each step the candidate of the largest gain (or gain per cost) is taken, the first of equals. Every gain is kept:
    when an item is covered, it is subtracted from all candidates that cover it, so that the whole run costs about one
    pass over the entries. When nothing is gained any more, the cover starts afresh for the candidates that are left, as
    if each item were wanted once more. For unit costs and before the first fresh start, the first k cover at least
    1 - 1/e of what any k can (Nemhauser et al. 1978).

    `loops` is a module of `scarceseq.selection.loops`, the fastest if None. Returns candidates in the order taken, as
    many as the budget allows, and the gain of each when it was taken.
    """
    limits = limits or Limits()
    run = Covering(cover, limits, loops or fastest())
    required = np.zeros(len(cover), dtype=bool)
    required[list(limits.required)] = True
    closed = np.zeros(len(cover), dtype=bool)
    closed[[*limits.measured, *limits.excluded]] = True
    run.take(required & ~closed)
    if run.taken < required.sum():
        raise InputError("cover: the budget does not pay for what must be in, or some of that must also be out")
    run.take(~required & ~closed)
    return run.order[: run.taken], run.gained[: run.taken]


def better_of_two(cover: Cover, limits: Limits) -> tuple[np.ndarray, np.ndarray, bool]:
    """Greedy choice within a budget when candidates differ in cost: by gain or by gain per cost, whichever covers more.

    Covers at least (1 - 1/e) / 2 of what any choice within the budget can (Leskovec et al. 2007); neither rule alone
    has a bound. Returns order, gains, and whether gain per cost decided.
    """
    plain, by_cost = (greedy(cover, replace(limits, by_cost=rule)) for rule in (False, True))
    # what was measured before comes first in both
    worth = [marginal_gains(cover, [*limits.measured, *order]).sum() for order, _ in (plain, by_cost)]
    return (*by_cost, True) if worth[1] > worth[0] else (*plain, False)


def marginal_gains(cover: Cover, order: Sequence[int] | np.ndarray) -> np.ndarray:
    """What each candidate of an order covers that those before it do not; nothing starts afresh.

    Their sum is the worth of the set.
    """
    state = cover.weights.copy() if cover.values is None else np.zeros(len(cover.weights), np.int64)
    gains = np.zeros(len(order), np.int64)
    for place, candidate in enumerate(order):
        row = slice(cover.starts[candidate], cover.starts[candidate + 1])
        items = cover.items[row]
        if cover.values is None:
            gains[place] = state[items].sum()
            state[items] >>= cover.shrink
        else:
            gains[place] = np.maximum(cover.values[row] - state[items], 0).sum()
            state[items] = np.maximum(cover.values[row], state[items])
    return gains


class Covering:
    """Gains of all candidates while a choice grows."""

    def __init__(self, cover: Cover, limits: Limits, loops: ModuleType) -> None:
        self.cover, self.limits, self.loops = cover, limits, loops
        self.costs = np.ones(len(cover), np.int64) if limits.costs is None else limits.costs
        self.money = np.inf if limits.budget is None else float(limits.budget)
        self.order, self.gained = np.empty((2, len(cover)), np.int64)
        self.taken = 0
        self.start_afresh()
        for candidate in limits.measured:
            self.cover_with(candidate)

    def start_afresh(self) -> None:
        """Nothing is covered."""
        cover = self.cover
        # what is left of each item, or how well it is covered
        self.state = cover.weights.copy() if cover.values is None else np.zeros(len(cover.weights), np.int64)
        self.gains = cover.first_gains.copy()

    def cover_with(self, candidate: int) -> None:
        """Cover the candidate's items and update all gains."""
        self.loops.cover_with(candidate, *self._sides())

    def take(self, free: np.ndarray) -> None:
        """Take the candidates `free` (mask, changed) greedily as long as the money lasts."""
        fresh, saturated = not self.taken and not len(self.limits.measured), True
        while saturated:
            spending = self.costs, self.money, self.limits.by_cost
            unfilled = self.order[self.taken :], self.gained[self.taken :]
            taken, self.money, saturated = self.loops.take(*self._sides(), free, *spending, fresh, *unfilled)
            self.taken += taken
            if saturated:
                self.start_afresh()
                fresh = True

    def _sides(self) -> tuple[Rows, Rows, np.ndarray, int, np.ndarray]:
        cover = self.cover
        return cover.rows, cover.columns, self.state, cover.shrink, self.gains
