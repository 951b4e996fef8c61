"""Reach: which nodes of the graph a training perturbation teaches a graph network something about.

The gradient of a perturbation's loss reaches the embeddings of the sources of its incoming edges, as many steps back
as the network has layers; a selection should reach many nodes, or much-used ones. A documented reconstruction of
graph-based one-shot selection (arXiv 2503.14571), made from its abstract.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.selection.cover import HALVING, ONCE, Cover, Limits, greedy
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.loops import fastest
from scarceseq.selection.pool import QUANTUM, arrange, quantise

if TYPE_CHECKING:
    from scarceseq.network.graph import Graph

DIRECTIONS = ("in", "out", "undirected")
GROUNDS = ("all", "candidates", "tests")


@dataclass(frozen=True)
class Reach:
    """A member of the family.

    - `hops`: steps that a choice reaches; as many as the graph network has layers
    - `direction`: ``in``: against the edges, as gradients go; ``out``: along them; ``undirected``: both
    - `ground`: genes whose predictions matter: ``all`` nodes, the ``candidates``, or the ``tests``
    - `usage`: whether a node is worth how much the ground's predictions lean on it, or 1 if it is in the ground
    - `decay`: worth of a node that is reached, per step of its distance; 1 counts near and far alike
    - `halving`: whether each further time that a node is reached counts half the time before, instead of nothing
    """

    hops: int = 1
    direction: str = "in"
    ground: str = "all"
    usage: bool = False
    decay: float = 1.0
    halving: bool = False

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS or self.ground not in GROUNDS:
            raise InputError(f"reach: direction is one of {DIRECTIONS}, ground one of {GROUNDS}, not {self}")
        if self.hops < 1 or not 0 < self.decay <= 1:
            raise InputError(f"reach: hops is at least 1, decay above 0 and at most 1, not {self}")
        if self.halving and self.decay < 1:
            raise InputError("reach: halving and a decay below 1 cannot be combined")


def rank_by_reach(
    genes: np.ndarray, evidence: Evidence, reach: Reach, budget: int | None = None, labelled: Genes = ()
) -> Ranking:
    """Greedy ranking by newly reached worth.

    `genes` are the sorted candidates; what the `labelled` ones reach is covered from the start. Returns genes in order,
    and their gains.
    """
    everyone, _, measured = arrange(genes, labelled, evidence.graph)
    worth = node_worth(everyone, evidence.graph, reach, genes, evidence.tests)
    cover = reach_cover(everyone, evidence.graph, reach, quantise(worth))
    order, gains = greedy(cover, Limits(budget=budget, measured=tuple(measured)))
    return everyone[order], gains * QUANTUM


def reach_cover(genes: np.ndarray, graph: "Graph", reach: Reach, worth: np.ndarray) -> Cover:
    """What each gene reaches, as a cover.

    - `genes`: in the order in which ties are broken
    - `worth` (nodes + genes,) int64: of each node, then of each gene (for those outside the graph, which reach only
      themselves)
    """
    steps = {"in": graph.incoming, "out": graph.incoming.T, "undirected": graph.incoming + graph.incoming.T}
    steps = sparse.csr_array(steps[reach.direction])
    nodes, position = len(graph.nodes), graph.positions(genes)
    # genes outside the graph are further nodes without edges
    starts = np.concatenate([steps.indptr, np.full(len(genes), steps.indptr[-1])]).astype(np.int64)
    seeds = np.where(position >= 0, position, nodes + np.arange(len(genes))).astype(np.int64)
    balls = fastest().reach(starts, steps.indices.astype(np.int32), seeds, reach.hops)
    shrink = HALVING if reach.halving else ONCE
    if reach.decay == 1:
        return Cover(balls[0], balls[1], worth, shrink=shrink)
    near = np.rint(worth[balls[1]] * reach.decay ** balls[2].astype(float)).astype(np.int64)
    return Cover(balls[0], balls[1], worth, values=near)


def node_worth(
    genes: np.ndarray,
    graph: "Graph",
    reach: Reach,
    candidates: Genes | np.ndarray,
    tests: Genes,
    gene_weights: dict[str, float] | None = None,
) -> np.ndarray:
    """What it is worth to reach each node: its place in the ground, or how much the ground's predictions lean on it.

    `gene_weights` say how much the prediction of a gene matters; 1 for genes that they do not name.

    Returns (nodes + genes,): for the nodes, then for each of `genes` (a gene outside the graph leans on itself alone).
    Raises `InputError` if no node is worth anything, or a weight is negative or no number.
    """
    names = np.concatenate([graph.nodes, genes])
    matters = np.ones(len(names))
    if reach.ground != "all":
        ground = set(candidates if reach.ground == "candidates" else tests)
        matters = np.array([name in ground for name in names], dtype=float)
    if gene_weights:
        matters *= np.array([gene_weights.get(name, 1.0) for name in names], dtype=float)
    if not (np.isfinite(matters).all() and (matters >= 0).all()):
        raise InputError("reach: a gene's weight is negative or no number; give finite weights of 0 or more")
    if reach.usage:
        matters[: len(graph.nodes)] = usage(graph, matters[: len(graph.nodes)])
    if not matters.any():
        raise InputError(f"reach: no node is worth anything; is the ground '{reach.ground}' in the graph?")
    return matters


def usage(graph: "Graph", matters: np.ndarray) -> np.ndarray:
    """How much predictions lean on each node: sums of the normalised adjacency over the genes that matter.

    The adjacency is that of a graph convolution with self loops of weight one, w_ts / sqrt(d_t d_s), d the sum of the
    weights that come in. `matters` (nodes,) says how much the prediction of each node's perturbation matters.
    """
    weights = graph.incoming + sparse.eye_array(len(graph.nodes), format="csr")
    scale = 1 / np.sqrt(weights.sum(axis=1))
    return scale * (weights.T @ (scale * matters))
