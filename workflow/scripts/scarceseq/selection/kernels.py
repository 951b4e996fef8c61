"""Similarity of genes by graph, and greedy choices that look at a kernel alone."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.linalg import blas

from scarceseq.errors import InputError
from scarceseq.perturbation.walk import neighbourhood_cosine
from scarceseq.selection.pool import QUANTUM, quantise

if TYPE_CHECKING:
    from scarceseq.network.graph import Graph


def gene_kernel(graph: "Graph", genes: Sequence[str] | np.ndarray) -> np.ndarray:
    """Cosine of the graph neighbourhoods of genes, which is the kernel of the predictor `graph_ridge` on that graph.

    The diagonal is one; a gene outside the graph is similar to itself alone.
    """
    kernel = neighbourhood_cosine(graph, genes)
    np.fill_diagonal(kernel, 1)
    return check_kernel(kernel)


def diffusion_kernel(graph: "Graph", genes: Sequence[str] | np.ndarray, steps: int) -> np.ndarray:
    """Overlap of lazy walks of some steps from each gene, scaled to a unit diagonal.

    With N the symmetric-normalised adjacency with self loops (links taken both ways), ((I + N) / 2)^(2 steps),
    restricted to the genes; positive semi-definite.
    """
    nodes = len(graph.nodes)
    weights = graph.incoming.maximum(graph.incoming.T) + sparse.eye_array(nodes, format="csr")
    scale = sparse.diags_array(1 / np.sqrt(weights.sum(axis=1)))
    step = ((sparse.eye_array(nodes, format="csr") + scale @ weights @ scale) / 2).tocsr()
    position = graph.positions(genes)
    inside = np.flatnonzero(position >= 0)
    rows = sparse.eye_array(nodes, format="csr")[position[inside]]
    for _ in range(steps):
        rows = rows @ step
    rows = sparse.diags_array(1 / np.sqrt(rows.power(2).sum(axis=1))) @ rows
    kernel = np.eye(len(genes))
    kernel[np.ix_(inside, inside)] = (rows @ rows.T).toarray()
    return check_kernel(kernel)


def check_kernel(kernel: np.ndarray) -> np.ndarray:
    """The kernel; `InputError` unless it is finite and symmetric."""
    if not np.isfinite(kernel).all():
        row, column = np.argwhere(~np.isfinite(kernel))[0]
        raise InputError(f"kernel: the similarity of genes {row} and {column} is no number; check the graph's weights")
    if not np.allclose(kernel, kernel.T, atol=1e-9):
        raise InputError("kernel: it is not symmetric")
    return kernel


def fuse(kernels: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of kernels, each divided by its largest value; one that is zero throughout stays so."""
    return np.mean([check_kernel(kernel) / (kernel.max() or 1.0) for kernel in kernels], axis=0)


def farthest_first(
    kernel: np.ndarray, candidates: np.ndarray, labelled: np.ndarray, budget: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Greedy k-center: at each step the candidate that is farthest from all that is chosen or labelled.

    The largest distance of any candidate to the choice is at most twice what is possible (Gonzalez 1985). Distances are
    d^2 = K_ii + K_jj - 2 K_ij. The first, if nothing is labelled, has the largest mean similarity to the candidates.

    `candidates`, in the order in which ties are broken, and `labelled` are positions in `kernel` (genes, genes).
    Returns positions among `candidates` in order, and the distance of each to what came before (NaN if nothing did).
    """
    among = kernel[np.ix_(candidates, candidates)]
    size = np.diag(kernel)
    distance = np.full(len(candidates), np.inf)
    for gene in labelled:
        distance = np.minimum(distance, size[candidates] + size[gene] - 2 * kernel[gene, candidates])
    order, gains, free = [], [], np.ones(len(candidates), dtype=bool)
    for step in range(len(candidates) if budget is None else budget):
        score = quantise(among.mean(axis=1) if step == 0 and not len(labelled) else np.maximum(distance, 0))
        best = int(np.argmax(np.where(free, score, -1)))
        order.append(best)
        gains.append(np.sqrt(max(distance[best], 0)) if np.isfinite(distance[best]) else np.nan)
        free[best] = False
        distance = np.minimum(distance, np.diag(among) + among[best, best] - 2 * among[best])
    return np.array(order, dtype=int), np.round(np.array(gains) / QUANTUM) * QUANTUM


def greedy_variance(
    kernel: np.ndarray,
    candidates: np.ndarray,
    labelled: np.ndarray,
    noise: float,
    score: Callable[[np.ndarray, np.ndarray], np.ndarray],
    budget: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Greedy choice by the posterior covariance of a Gaussian process, updated after each pick.

    - `kernel` (genes, genes): prior covariance
    - `candidates`, `labelled`: positions in it, the former in the order in which ties are broken
    - `noise`: variance of a measurement
    - `score` (covariance, candidates): gain of each candidate, not negative

    Returns positions among `candidates` in order, and gains.
    """
    covariance = np.array(kernel, dtype=float, order="F")

    def measure(gene: int) -> None:
        column = covariance[:, gene] / np.sqrt(covariance[gene, gene] + noise)
        blas.dger(-1.0, column, column, a=covariance, overwrite_a=1)  # in place: columns are contiguous

    for gene in labelled:
        measure(gene)
    order, gains, free = [], [], np.ones(len(candidates), dtype=bool)
    for _ in range(len(candidates) if budget is None else budget):
        gain = quantise(score(covariance, candidates))
        best = int(np.argmax(np.where(free, gain, np.iinfo(np.int64).min)))
        order.append(best)
        gains.append(gain[best] * QUANTUM)
        free[best] = False
        measure(candidates[best])
    return np.array(order, dtype=int), np.array(gains)
