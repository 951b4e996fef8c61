"""The loops of `compiled` in numpy and scipy, for machines without numba; see there for what they take and give."""

import numpy as np
from scipy import sparse

from scarceseq.selection.loops import Rows


def reach(starts: np.ndarray, neighbours: np.ndarray, seeds: np.ndarray, hops: int) -> Rows:
    """Nodes within `hops` steps of each seed, and their distances."""
    size = len(starts) - 1
    step = sparse.csr_array((np.ones(len(neighbours), np.int32), neighbours, starts), shape=(size, size))
    step = step + sparse.eye_array(size, dtype=np.int32, format="csr")
    ball = sparse.eye_array(size, dtype=np.int32, format="csr")[seeds]
    # an entry counts the radii that hold the node, hence hops + 1 minus its distance
    within = ball.copy()
    for _ in range(hops):
        ball = ((ball @ step) != 0).astype(np.int32)
        within = within + ball
    within = sparse.csr_array(within)
    return within.indptr.astype(np.int64), within.indices.astype(np.int32), (hops + 1 - within.data).astype(np.uint8)


def transpose(starts: np.ndarray, items: np.ndarray, values: np.ndarray, size: int) -> Rows:
    """Rows of each item, in compressed form, and the values of their entries; `values` may be empty."""
    entries = sparse.csr_array((np.arange(len(items)), items, starts), shape=(len(starts) - 1, size)).tocsc()
    turned = values[entries.data] if len(values) else values
    return entries.indptr.astype(np.int64), entries.indices.astype(np.int32), turned


def row_sums(starts: np.ndarray, items: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum of the weights of the items of each row."""
    running = np.concatenate([[0], np.cumsum(weights[items])])
    return running[starts[1:]] - running[starts[:-1]]


def cover_with(candidate: int, rows: Rows, columns: Rows, state: np.ndarray, shrink: int, gains: np.ndarray) -> None:
    """Cover the items of a candidate; the gains of all candidates that share one fall by what it no longer adds."""
    starts, items, values = rows
    item_starts, candidates, column_values = columns
    entries = slice(starts[candidate], starts[candidate + 1])
    row = items[entries]
    old = state[row]
    if len(values):
        row, old, new = (array[values[entries] > old] for array in (row, old, values[entries]))
        state[row] = new
    else:
        lost = old - (old >> shrink)
        row, lost = row[lost > 0], lost[lost > 0]
        state[row] -= lost
    places, item = _places(row, item_starts)
    worth = np.minimum(column_values[places], new[item]) - old[item] if len(values) else lost[item]
    np.subtract.at(gains, candidates[places], np.maximum(worth, 0))


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
    """Take candidates greedily until none can be paid or none gains anything."""
    taken = 0
    while True:
        best = int(np.argmax(np.where(free & (costs <= money), gains / costs if by_cost else gains, -1)))
        if not free[best] or costs[best] > money:
            return taken, money, False
        if gains[best] == 0 and not fresh:
            return taken, money, True
        fresh = gains[best] == 0
        order[taken], gained[taken] = best, gains[best]
        taken += 1
        money -= costs[best]
        free[best] = False
        cover_with(best, rows, columns, state, shrink, gains)


def _places(row: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of all entries in the columns of the items `row`, and which of the items each belongs to."""
    sizes = columns[row + 1] - columns[row]
    item = np.repeat(np.arange(len(row)), sizes)
    offset = np.arange(len(item)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return columns[row][item] + offset, item
