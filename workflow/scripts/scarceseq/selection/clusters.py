"""Choices by clusters of genes, in stages, so that every budget is the beginning of one ranking."""

from collections.abc import Callable

import numpy as np

from scarceseq.seeds import derive
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import gene_kernel
from scarceseq.selection.pool import arrange_pool

FIRST_STAGE = 10  # each further stage doubles what has been chosen
DIMENSIONS = 50
NEIGHBOURS = 20


def rank_by_clusters(
    kernel: np.ndarray,
    candidates: np.ndarray,
    labelled: np.ndarray,
    pick: Callable[[np.ndarray, np.ndarray], int],
    budget: int | None,
    seed: int,
    at_once: bool = False,
) -> np.ndarray:
    """At each stage, as many clusters as there are chosen and wanted genes; one gene each of the largest without one.

    - `candidates`, `labelled`: positions in `kernel` (genes, genes), the former in the order in which ties are broken
    - `pick` (points, centre): the one of a cluster's points (points x dimensions) to take
    - `at_once`: one stage for the whole budget; smaller budgets are then not the beginning of larger ones

    Returns positions among `candidates`, in order: by stage, then by falling size of the cluster.
    """
    from sklearn.cluster import KMeans

    points = coordinates(kernel)
    members = np.concatenate([candidates, labelled]).astype(int)
    taken = np.arange(len(members)) >= len(candidates)
    order, wanted = [], min(budget or len(candidates), len(candidates))
    while len(order) < wanted:
        stage = wanted if at_once else min(max(FIRST_STAGE, len(order)), len(candidates) - len(order))
        clusters = min(int(taken.sum()) + stage, len(np.unique(points[members].round(9), axis=0)))
        fitted = KMeans(clusters, n_init=1, random_state=derive(seed, len(order)) % 2**32).fit(points[members])
        of = fitted.labels_
        empty = [c for c in range(clusters) if (of == c).any() and not taken[of == c].any()]
        empty.sort(key=lambda c: (-int((of == c).sum()), int(np.flatnonzero(of == c)[0])))
        for cluster in empty[:stage]:
            inside = np.flatnonzero(of == cluster)
            best = int(inside[pick(points[members[inside]], fitted.cluster_centers_[cluster])])
            order.append(best)
            taken[best] = True
        for best in np.flatnonzero(~taken)[: stage - len(empty[:stage])]:  # fewer distinct points than wanted
            order.append(int(best))
            taken[best] = True
    return np.array(order[:wanted], dtype=int)


def coordinates(kernel: np.ndarray) -> np.ndarray:
    """Leading principal coordinates of a kernel, genes x up to `DIMENSIONS`; the sign of each is fixed."""
    values, vectors = np.linalg.eigh(kernel)
    keep = np.argsort(-values)[:DIMENSIONS]
    points = vectors[:, keep] * np.sqrt(np.maximum(values[keep], 0))
    sign = np.sign(points[np.abs(points).argmax(axis=0), np.arange(points.shape[1])])
    return points * np.where(sign == 0, 1, sign)


def nearest_to_centre(points: np.ndarray, centre: np.ndarray) -> int:
    """The point nearest to the cluster's centre."""
    return int(np.argmin(np.round(((points - centre) ** 2).sum(axis=1), 9)))


def most_typical(points: np.ndarray, centre: np.ndarray) -> int:
    """The point of the highest typicality, one over the mean distance to its nearest neighbours in the cluster.

    Up to `NEIGHBOURS` of them, at most half of the cluster (Hacohen, Dekel & Weinshall 2022).
    """
    distance = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    near = np.sort(distance, axis=1)[:, 1 : 1 + max(1, min(NEIGHBOURS, len(points) // 2))]
    return int(np.argmin(np.round(near.mean(axis=1), 9))) if near.shape[1] else 0


def rank_on_graph(
    pool: Genes,
    evidence: Evidence,
    budget: int | None,
    labelled: Genes,
    seed: int,
    choose: Callable[[np.ndarray, np.ndarray], int],
) -> Ranking:
    """Ranking by `rank_by_clusters` of the graph's neighbourhoods; there is no gain."""
    everyone, candidates, measured = arrange_pool(pool, evidence.graph, budget, labelled)
    kernel = gene_kernel(evidence.graph, everyone)
    order = rank_by_clusters(kernel, candidates, measured, choose, budget, seed)
    return everyone[order], np.full(len(order), np.nan)
