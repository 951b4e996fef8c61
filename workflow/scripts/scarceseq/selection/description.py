"""What choices are like apart from their worth: what they cover of a graph, and what they cost."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from scarceseq.selection.budgets import budget_sizes
from scarceseq.selection.cover import marginal_gains
from scarceseq.selection.pool import quantise
from scarceseq.selection.reach import Reach, node_worth, reach_cover

if TYPE_CHECKING:
    from scarceseq.network.graph import Graph
    from scarceseq.selection.cover import Cover
    from scarceseq.selection.settings import BudgetSettings


def coverage(
    rankings: pd.DataFrame, splits: pd.DataFrame, graph: "Graph", budgets: "BudgetSettings", hops: int
) -> pd.DataFrame:
    """What the first genes of each ranking cover of the prediction graph, means over draws and splits.

    - `rankings`: columns selection_graph, selector, split, draw, rank, gene
    - `splits`: columns split, perturbation, role
    - `graph`: of the predictors

    Returns columns selection_graph, selector, pool, budget, nodes_reached and usage_reached (shares of what the whole
    pool reaches, plain and weighted by how much the pool's predictions lean on each node), test_neighbours (mean share
    of a test gene's neighbourhood, by weight in the normalised adjacency, that is chosen).
    """
    rows_of_table = []
    for split, rows in splits.groupby("split", sort=True):
        pool, tests = (
            rows.loc[rows["role"] == role, "perturbation"].to_numpy(dtype=object) for role in ("pool", "test")
        )
        covers = [_cover(pool, graph, hops, usage) for usage in (False, True)]
        leaning = neighbour_weights(graph, tests, pool)
        row_of = {gene: row for row, gene in enumerate(pool)}
        sizes = budget_sizes(len(pool), budgets.budgets, budgets.min_budget, budgets.budget_counts)
        of_split = rankings[rankings["split"] == split]
        for (where, name, draw), ranking in of_split.groupby(["selection_graph", "selector", "draw"], sort=True):
            order = [row_of[gene] for gene in ranking.sort_values("rank")["gene"]]
            gained = [np.cumsum(marginal_gains(cover, order)) / total for cover, total in covers]
            seen = np.cumsum(leaning[:, order].mean(axis=0)) if len(leaning) else np.full(len(order), np.nan)
            rows_of_table += [
                (where, name, split, draw, size, gained[0][size - 1], gained[1][size - 1], seen[size - 1])
                for size in sizes
                if size <= len(order)
            ]
    columns = ["selection_graph", "selector", "split", "draw", "budget"]
    table = pd.DataFrame(rows_of_table, columns=[*columns, "nodes_reached", "usage_reached", "test_neighbours"])
    table["pool"] = int((splits["role"] == "pool").sum() / splits["split"].nunique())
    keys = ["selection_graph", "selector", "pool", "budget"]
    return table.groupby(keys, as_index=False)[["nodes_reached", "usage_reached", "test_neighbours"]].mean()


def _cover(pool: np.ndarray, graph: "Graph", hops: int, by_usage: bool) -> "tuple[Cover, int]":
    """Cover of the pool, and what all of it is worth."""
    reach = Reach(hops=hops, ground="candidates" if by_usage else "all", usage=by_usage)
    cover = reach_cover(pool, graph, reach, quantise(node_worth(pool, graph, reach, pool, ())))
    return cover, max(int(marginal_gains(cover, np.arange(len(pool))).sum()), 1)


def neighbour_weights(graph: "Graph", tests: Sequence[str], pool: np.ndarray) -> np.ndarray:
    """Share that each gene of the pool has in the neighbourhood of each test gene that is in the graph.

    Rows are those of the normalised adjacency (as in `usage`) without the test gene itself, scaled to the pool's genes
    and all others together: they add up to 1 over all nodes.

    Their shape is (test genes of the graph with neighbours, pool).
    """
    weights = graph.incoming + sparse.eye_array(len(graph.nodes), format="csr")
    scale = 1 / np.sqrt(weights.sum(axis=1))
    place, columns = graph.positions(tests), graph.positions(pool)
    rows = graph.incoming[place[place >= 0]].multiply(scale[None]).tocsr()
    total = np.asarray(rows.sum(axis=1)).ravel()
    rows = rows[total > 0].toarray() / total[total > 0][:, None]
    return np.where(columns >= 0, rows[:, columns], 0.0)


def costs(tables: pd.DataFrame, rankings: pd.DataFrame, days_per_cycle: float | None) -> pd.DataFrame:
    """Seconds of selection, cycles of the laboratory, and how long they take.

    `tables` has a row of seconds per ranking, `rankings` the columns selection_graph, selector, round. `days_per_cycle`
    is from ordering guides to a sequenced screen.

    Returns columns selection_graph, selector, seconds (median over rankings), cycles, days (NaN if not given),
    model_fits (between rounds, of one ranking).
    """
    keys = ["selection_graph", "selector"]
    table = tables.groupby(keys)["seconds"].median().to_frame()
    table["cycles"] = rankings.groupby(keys)["round"].max() + 1
    table["days"] = table["cycles"] * (np.nan if days_per_cycle is None else days_per_cycle)
    return table.assign(model_fits=table["cycles"] - 1).reset_index()
