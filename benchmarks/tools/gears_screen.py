"""A generated screen for the benchmark of GEARS: cells, and a graph whose neighbours have like effects."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

COMPONENTS = 12
CONTROL_SHARE = 0.35  # of the cells, as in Adamson's screen
CELLS_AT_ONCE = 2000


@dataclass(frozen=True)
class Screen:
    """Cells x genes, their conditions (0 is control), and edges (source, target, weight) of both graphs."""

    expression: sparse.csr_matrix
    condition: np.ndarray
    coexpression: tuple
    similarity: tuple
    nodes: int


def generate_screen(cells, genes, perturbations, nodes, seed):
    """A screen of the given size; the first nodes of the graph are the perturbed ones.

    Nodes have sparse coordinates on a few components, their graph joins those of like coordinates, and a perturbation's
    effect is its coordinates times sparse loadings of the genes.
    """
    generator = np.random.default_rng(seed)
    place = generator.normal(size=(nodes, COMPONENTS)) * (generator.random((nodes, COMPONENTS)) < 0.35)
    loading = generator.normal(size=(COMPONENTS, genes)) * (generator.random((COMPONENTS, genes)) < 0.12)
    effect = place[:perturbations] @ loading
    size = np.sqrt((effect**2).mean(axis=1, keepdims=True))
    effect *= 0.3 * generator.lognormal(0, 0.3, size.shape) / np.maximum(size, 1e-9)
    rate = np.exp(generator.normal(-1.2, 1.3, genes) + np.vstack([np.zeros(genes), effect]))
    condition = 1 + np.arange(cells) % perturbations
    condition[: int(CONTROL_SHARE * cells)] = 0
    condition = generator.permutation(condition)
    blocks = []
    for start in range(0, cells, CELLS_AT_ONCE):
        chosen = condition[start : start + CELLS_AT_ONCE]
        depth = generator.lognormal(0, 0.3, (len(chosen), 1))
        counts = generator.poisson((rate[chosen] * depth).astype(np.float32)).astype(np.float32)
        counts *= rate[0].sum() / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        blocks.append(sparse.csr_matrix(np.log1p(counts)))
    coexpression = random_edges(generator, genes, 8)
    return Screen(sparse.vstack(blocks).tocsr(), condition, coexpression, nearest(place, 20), nodes)


def nearest(place, count):
    """Edges into each node from those of the most similar direction."""
    unit = (place / np.maximum(np.linalg.norm(place, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    source, weight = [], []
    for start in range(0, len(unit), 1000):
        likeness = unit[start : start + 1000] @ unit.T
        likeness[np.arange(len(likeness)), start + np.arange(len(likeness))] = -1
        chosen = np.argpartition(-likeness, count, axis=1)[:, :count]
        source.append(chosen.ravel())
        weight.append(np.clip(np.take_along_axis(likeness, chosen, axis=1), 0.1, 1).ravel())
    return np.concatenate(source), np.repeat(np.arange(len(unit)), count), np.concatenate(weight).astype(float)


def random_edges(generator, nodes, count):
    """About `count` edges into each node from random others."""
    source, target = generator.integers(nodes, size=count * nodes), np.repeat(np.arange(nodes), count)
    _, first = np.unique(source * nodes + target, return_index=True)
    first = first[source[first] != target[first]]
    return source[first], target[first], generator.uniform(0.4, 1, len(first))
