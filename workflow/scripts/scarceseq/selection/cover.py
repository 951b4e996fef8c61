"""Greedy weighted cover, lazily evaluated."""

import heapq

import numpy as np


def lazy_greedy(balls, weights):
    """Order of candidates by greedy weighted cover, f(S) = sum of the weights of the union of the balls of S.

    Lazy evaluation (Minoux 1978; CELF, Leskovec et al. 2007) gives exactly the order of plain greedy: f is submodular,
    so an old gain is an upper bound, and the heap breaks ties by position. When nothing new can be covered, the cover
    starts afresh for the candidates that are left.

    Parameters
    ----------
    balls : list of numpy.ndarray of int
        Nodes that each candidate covers; candidates in the order in which ties are broken.
    weights : numpy.ndarray of int64, shape (nodes,)
        Not negative.

    Returns
    -------
    (numpy.ndarray of int, numpy.ndarray of int64)
        All candidates in the order taken, and the weight that each newly covered (since the last fresh start).
    """
    if (weights < 0).any():
        raise ValueError("lazy_greedy: a weight is negative, so the cover is not monotone")
    order, gains = [], []
    remaining = list(range(len(balls)))
    while remaining:
        taken, gained = _one_cover(balls, weights, remaining)
        order += taken
        gains += gained
        done = set(taken)
        remaining = [candidate for candidate in remaining if candidate not in done]
    return np.array(order, dtype=int), np.array(gains, dtype=np.int64)


def _one_cover(balls, weights, candidates):
    """Greedy from nothing covered until nothing new can be covered; all candidates if none covers any weight."""
    left = weights.copy()  # a covered node has no weight left
    heap = [(-int(left[balls[candidate]].sum()), candidate, 0) for candidate in candidates]
    heapq.heapify(heap)
    order, gains = [], []
    while heap:
        gain, candidate, evaluated = heapq.heappop(heap)
        if evaluated < len(order):
            gain = -int(left[balls[candidate]].sum())
            heapq.heappush(heap, (gain, candidate, len(order)))
            continue
        if gain == 0 and order:
            break
        order.append(candidate)
        gains.append(-gain)
        if gain:
            left[balls[candidate]] = 0
        else:  # worthless from the start: the rest follows in tie order
            rest = sorted(candidate for _, candidate, _ in heap)
            return order + rest, gains + [0] * len(rest)
    return order, gains
