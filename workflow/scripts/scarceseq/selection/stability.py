"""How much of a choice stays when the seed, the pool or the graph changes a little."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import sparse

from scarceseq.network.graph import Graph
from scarceseq.network.kinds.rewired import SWAPS_PER_EDGE, rewire_targets
from scarceseq.seeds import derive
from scarceseq.selection.budgets import budget_sizes
from scarceseq.selection.evidence import Evidence, Genes
from scarceseq.selection.selector import ranker, visible
from scarceseq.selection.settings import BudgetSettings, RankingSettings, StabilitySettings


def stability(
    pool: Genes,
    tests: Genes,
    graph: Graph,
    settings: StabilitySettings,
    budgets: BudgetSettings,
    hops: int,
    seed: int,
) -> pd.DataFrame:
    """Mean pairwise Jaccard similarity of choices, each made after another random change.

    Returns columns selector, change, share, repeats, pool, budget, jaccard, random (the same of two random choices of
    that size, expected intersection over expected union). Changes: ``seed``; ``pool``: a share of the candidates is
    taken away; ``edges removed``, ``edges rewired``: a share of the graph's edges.
    """
    left = len(pool) - round(settings.pool_share * len(pool))
    sizes = budget_sizes(len(pool), budgets.budgets, budgets.min_budget, budgets.budget_counts)
    sizes = [size for size in sizes if size < left]  # all of the pool is chosen always
    rows = []
    for name in settings.selectors if sizes else []:
        for change, share in changes(settings):
            orders = []
            for repeat in range(settings.repeats):
                key = derive(seed, "stability", change, share, repeat)
                genes, changed = list(pool), graph
                if change == "pool":
                    kept = np.random.default_rng(key).permutation(len(genes))[round(share * len(genes)) :]
                    genes = [genes[place] for place in kept]
                elif change != "seed":
                    changed = (remove if change == "edges removed" else rewire)(graph, share, key)
                evidence = Evidence(RankingSettings(1, hops), changed, visible(name, tests), (changed,))
                # the selector's own seed changes in the first case alone, so that the others show the change itself
                draw = key if change == "seed" else derive(seed, "stability")
                orders.append(ranker(name)(genes, evidence, budget=sizes[-1], seed=draw)[0])
            about = {"selector": name, "change": change, "share": share, "repeats": settings.repeats, "pool": len(pool)}
            for size in sizes:
                by_chance = size / (2 * len(pool) - size)
                rows.append(about | {"budget": size, "jaccard": overlap(orders, size), "random": by_chance})
    return pd.DataFrame(rows)


def changes(settings: StabilitySettings) -> list[tuple[str, float]]:
    """(kind, share) of each change that is tried."""
    edges = [(kind, share) for kind in ("edges removed", "edges rewired") for share in settings.edge_shares]
    return [("seed", 0.0), ("pool", settings.pool_share), *edges]


def overlap(orders: Sequence[np.ndarray], size: int) -> float:
    """Mean Jaccard similarity of all pairs of the orders' first genes."""
    chosen = [set(order[:size]) for order in orders]
    return float(np.mean([len(a & b) / len(a | b) for a, b in combinations(chosen, 2)]))


def remove(graph: Graph, share: float, seed: int) -> Graph:
    """The graph without a random share of its edges; it keeps its nodes."""
    edges = graph.incoming.tocoo()
    kept = np.random.default_rng(seed).permutation(edges.nnz)[round(share * edges.nnz) :]
    return _graph(graph, edges.row[kept], edges.col[kept], edges.data[kept])


def rewire(graph: Graph, share: float, seed: int) -> Graph:
    """The graph with a random share of its edges rewired among themselves; in- and out-degrees stay."""
    edges, generator = graph.incoming.tocoo(), np.random.default_rng(seed)
    changed = generator.permutation(edges.nnz)[: round(share * edges.nnz)]
    if len(changed) < 2:
        return graph
    pairs = changed[generator.integers(len(changed), size=(SWAPS_PER_EDGE * len(changed), 2))]
    target = edges.row.astype(np.int64)
    rewire_targets(edges.col.astype(np.int64), target, len(graph.nodes), pairs)
    return _graph(graph, target, edges.col, edges.data)


def _graph(graph: Graph, target: np.ndarray, source: np.ndarray, weight: np.ndarray) -> Graph:
    incoming = sparse.csr_array((weight, (target, source)), shape=graph.incoming.shape)
    incoming.sort_indices()
    return Graph(graph.nodes, incoming)
