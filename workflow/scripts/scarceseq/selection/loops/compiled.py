"""Loops compiled by numba. Rows are in compressed form: those of row i lie between starts[i] and starts[i + 1]."""

import numba
import numpy as np

from scarceseq.selection.loops import Rows

BLOCK = 64  # candidates of which one bound is kept
compiled = numba.njit(cache=True, nogil=True, boundscheck=False)


@compiled
def _largest_balls(starts: np.ndarray, neighbours: np.ndarray, seeds: np.ndarray, hops: int) -> np.ndarray:
    """Bound on the size of each seed's ball: the number of walks of up to `hops` steps, at most the number of nodes."""
    nodes = len(starts) - 1
    walks = np.ones(nodes, np.int64)
    for _ in range(hops):
        further = np.ones(nodes, np.int64)
        for node in range(nodes):
            for entry in range(starts[node], starts[node + 1]):
                further[node] += walks[neighbours[entry]]
            further[node] = min(further[node], nodes)
        walks = further
    return walks[seeds]


@compiled
def reach(starts: np.ndarray, neighbours: np.ndarray, seeds: np.ndarray, hops: int) -> Rows:
    """Nodes within `hops` steps of each seed, by breadth-first search.

    - `starts` (nodes + 1,) int64, `neighbours` (int32): where one step leads from each node
    - `seeds` (int64)

    Returns balls in compressed form: starts (int64), nodes (int32), nearest first, and their distances (uint8).
    """
    room = _largest_balls(starts, neighbours, seeds, hops).sum()
    nodes, steps = np.empty(room, np.int32), np.empty(room, np.uint8)
    ball_starts = np.zeros(len(seeds) + 1, np.int64)
    seen = np.full(len(starts) - 1, -1, np.int64)
    filled = 0
    for ball in range(len(seeds)):
        nodes[filled] = seeds[ball]
        steps[filled] = 0
        seen[seeds[ball]] = ball
        first, filled = filled, filled + 1
        for step in range(1, hops + 1):
            last = filled
            for place in range(first, last):
                node = nodes[place]
                for entry in range(starts[node], starts[node + 1]):
                    other = neighbours[entry]
                    if seen[other] != ball:
                        seen[other] = ball
                        nodes[filled] = other
                        steps[filled] = step
                        filled += 1
            first = last
        ball_starts[ball + 1] = filled
    return ball_starts, nodes[:filled], steps[:filled]


@compiled
def transpose(starts: np.ndarray, items: np.ndarray, values: np.ndarray, size: int) -> Rows:
    """Rows of each item, in compressed form, and the values of their entries; `values` may be empty."""
    columns = np.zeros(size + 1, np.int64)
    for item in items:
        columns[item + 1] += 1
    for item in range(size):
        columns[item + 1] += columns[item]
    rows, turned, free = np.empty(len(items), np.int32), np.empty_like(values), columns[:-1].copy()
    for row in range(len(starts) - 1):
        for entry in range(starts[row], starts[row + 1]):
            place = free[items[entry]]
            free[items[entry]] += 1
            rows[place] = row
            if len(values):
                turned[place] = values[entry]
    return columns, rows, turned


@compiled
def row_sums(starts: np.ndarray, items: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum of the weights of the items of each row."""
    sums = np.zeros(len(starts) - 1, np.int64)
    for row in range(len(sums)):
        for entry in range(starts[row], starts[row + 1]):
            sums[row] += weights[items[entry]]
    return sums


@compiled
def cover_with(candidate: int, rows: Rows, columns: Rows, state: np.ndarray, shrink: int, gains: np.ndarray) -> None:
    """Cover the items of a candidate; the gains of all candidates that share one fall by what it no longer adds.

    - `rows`: starts (candidates + 1,), items, and their values (empty: an item is worth what is left of it)
    - `columns`: the same, transposed: from `transpose`
    - `state` (items,) int64, changed: what is left of each item, or how well it is covered where there are values
    - `shrink`: bits by which what is left of an item is shifted right
    - `gains` (candidates,) int64, changed
    """
    starts, items, values = rows
    item_starts, candidates, column_values = columns
    row = items[starts[candidate] : starts[candidate + 1]]
    if len(values):
        for item, new in zip(row, values[starts[candidate] : starts[candidate + 1]]):  # noqa: B905 (numba)
            old = state[item]
            if new > old:
                state[item] = new
                for place in range(item_starts[item], item_starts[item + 1]):
                    if column_values[place] > old:
                        gains[candidates[place]] -= min(column_values[place], new) - old
        return
    touched = 0
    for item in row:
        if state[item]:
            touched += item_starts[item + 1] - item_starts[item]
    if 2 * touched < len(candidates):
        for item in row:
            lost = state[item] - (state[item] >> shrink)
            if lost:
                state[item] -= lost
                for place in range(item_starts[item], item_starts[item + 1]):
                    gains[candidates[place]] -= lost
        return
    # a hub: what is left is less than what goes
    for item in row:
        state[item] >>= shrink
    gains[:] = 0
    for item in range(len(state)):
        if state[item]:
            for place in range(item_starts[item], item_starts[item + 1]):
                gains[candidates[place]] += state[item]


@compiled
def _best_of_block(
    block: int, gains: np.ndarray, free: np.ndarray, costs: np.ndarray, money: float, by_cost: bool
) -> tuple[float, int]:
    """Highest key among the candidates of a block that can be taken, and the first that has it; -1 if there is none."""
    top, best = -1.0, -1
    for candidate in range(block * BLOCK, min((block + 1) * BLOCK, len(gains))):
        if free[candidate] and costs[candidate] <= money:
            key = gains[candidate] / costs[candidate] if by_cost else float(gains[candidate])
            if key > top:
                top, best = key, candidate
    return top, best


@compiled
def take(
    rows: Rows,
    columns: Rows,
    state: np.ndarray,
    shrink: int,
    gains: np.ndarray,
    free: np.ndarray,
    costs: np.ndarray,
    money: float,
    by_cost: bool,
    fresh: bool,
    order: np.ndarray,
    gained: np.ndarray,
) -> tuple[int, float, bool]:
    """Take candidates greedily until none can be paid or none gains anything.

    Gains only fall, so the best key that a block of candidates once had bounds what it has now, and few blocks are
    looked at in each step.

    - `rows`, `columns`, `state`, `shrink`, `gains`: as for `cover_with`
    - `free` (candidates,) bool, changed
    - `costs` (candidates,) int64
    - `by_cost`: whether the gain per cost decides
    - `fresh`: whether nothing is covered: then candidates that gain nothing are taken too
    - `order`, `gained` (int64), changed: take the candidates and their gains; as long as there are free candidates

    Returns how many were taken, money left, whether it ended because nothing was gained.
    """
    bounds = np.full((len(gains) + BLOCK - 1) // BLOCK, np.inf)
    taken = 0
    while True:
        block, best, top = 0, -1, -1.0
        while best < 0:
            block = np.argmax(bounds)
            if bounds[block] < 0:
                return taken, money, False
            top, best = _best_of_block(block, gains, free, costs, money, by_cost)
            if top < bounds[block]:
                bounds[block], best = top, -1
        if gains[best] == 0 and not fresh:
            return taken, money, True
        fresh = gains[best] == 0
        order[taken], gained[taken] = best, gains[best]
        taken += 1
        money -= costs[best]
        free[best] = False
        cover_with(best, rows, columns, state, shrink, gains)
