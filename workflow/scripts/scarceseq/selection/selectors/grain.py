"""Grain: reach in the graph plus diversity among the genes (Zhang et al. 2021), as one cover.

Diversity is counted by balls: how many genes of the pool have a chosen one in their neighbourhood, by cosine. Each part
is divided by what the whole pool reaches, and both count alike.
"""

import numpy as np

from scarceseq.selection.cover import Cover, Limits, greedy
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import gene_kernel
from scarceseq.selection.pool import QUANTUM, arrange_pool, quantise
from scarceseq.selection.reach import Reach, reach_cover

NEEDS = ("graph",)
SIMILAR = 0.25


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Greedy for both parts together; the gain is in shares of each, so all gains before a fresh start add up to 2."""
    everyone, candidates, measured = arrange_pool(pool, evidence.graph, budget, labelled)
    cover = closeness(everyone, candidates, evidence)
    order, gains = greedy(cover, Limits(budget=budget, measured=tuple(measured)))
    return everyone[order], gains * QUANTUM


def closeness(everyone: np.ndarray, candidates: np.ndarray, evidence: Evidence) -> Cover:
    """Cover of the nodes that are reached, then of the genes of the pool that are similar."""
    nodes = len(evidence.graph.nodes) + len(everyone)
    reach = reach_cover(everyone, evidence.graph, Reach(hops=evidence.settings.hops), np.zeros(nodes, np.int64))
    similar = gene_kernel(evidence.graph, everyone)[:, candidates] >= SIMILAR
    rows = [
        np.concatenate([reach.items[reach.starts[row] : reach.starts[row + 1]], nodes + np.flatnonzero(similar[row])])
        for row in range(len(everyone))
    ]
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    shares = np.concatenate(
        [np.full(nodes, 1 / len(np.unique(reach.items))), np.full(len(candidates), 1 / len(candidates))]
    )
    return Cover(starts, np.concatenate(rows).astype(np.int32), quantise(shares))
