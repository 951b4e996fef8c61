"""The list of chosen genes: what each adds, costs and reaches, under the user's own names, with its well."""

from typing import Any

import numpy as np
import pandas as pd

from scarceseq.design.lists import COST_UNITS, in_cost_units
from scarceseq.design.problem import Problem
from scarceseq.network.graph import Graph

LISTED_NEIGHBOURS = 6
COLUMNS = ["rank", "gene", "given_as", "chosen_as", "cost", "total_cost", "gain", "expected_error", "coverage_percent"]
COLUMNS += ["newly_reached", "covers", "reason"]
REASONS = {
    "v_optimal": "leaves least expected error",
    "reach": "reaches most that is new",
    "blend": "best blend of expected error and reach",
    "random": "drawn at random",
    "upper_confidence_bound": "highest bound of the response",
    "expected_improvement": "improves most on the best response",
    "thompson": "best of a draw of the responses",
    "expected_response": "largest expected response",
}


def order_table(problem: Problem, graph: Graph, chosen: np.ndarray, gains: np.ndarray) -> pd.DataFrame:
    """Chosen genes with gain, costs, and the genes that each reaches first, most valuable first."""
    cover = problem.cover
    named = np.concatenate([graph.nodes.astype(object), problem.everyone])
    seen = np.zeros(len(named), dtype=bool)
    for candidate in problem.limits.measured:
        seen[cover.items[cover.starts[candidate] : cover.starts[candidate + 1]]] = True
    rows = []
    for candidate, gain in zip(chosen, gains, strict=True):
        items = cover.items[cover.starts[candidate] : cover.starts[candidate + 1]]
        new = items[~seen[items] & (cover.weights[items] > 0)]
        seen[items] = True
        new = new[np.lexsort((named[new].astype(str), -cover.weights[new]))]
        covers = ", ".join(named[new[:LISTED_NEIGHBOURS]])
        chosen_as = "required" if candidate in problem.limits.required else "chosen"
        rows.append((problem.everyone[candidate], chosen_as, problem.price[candidate], gain, len(new), covers))
    table = pd.DataFrame(rows, columns=["gene", "chosen_as", "cost", "gain", "newly_reached", "covers"])
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    table["total_cost"] = np.cumsum(in_cost_units(table["cost"])) / COST_UNITS
    return table


def describe(
    order: pd.DataFrame, names: pd.DataFrame, lists: dict[str, set[str]], values: pd.DataFrame, settings: dict[str, Any]
) -> pd.DataFrame:
    """The list with the user's own names, the reason for each gene, and its values of the filters' tables."""
    used = names[names["list"].isin(["candidates", "required"]) & names["outcome"].isin(["used", "outside"])]
    given = dict(zip(used["gene"][::-1], used["given"][::-1], strict=True))
    outside = set(names.loc[names["outcome"] == "outside", "gene"])
    by_gain = REASONS[settings["acquisition" if settings["goal"] == "hits" else "criterion"]]
    reasons = [
        ("required; in no graph, so nothing is known of its likes" if gene in outside else "required")
        if kind == "required"
        else by_gain
        for gene, kind in zip(order["gene"], order["chosen_as"], strict=True)
    ]
    order = order.assign(given_as=[given.get(gene, gene) for gene in order["gene"]], reason=reasons)
    return pd.concat([order[COLUMNS], values.reindex(order["gene"]).reset_index(drop=True)], axis=1)


def with_wells(order: pd.DataFrame, plates: pd.DataFrame) -> pd.DataFrame:
    """The list with plate and well of each gene's first replicate."""
    first = plates[plates["replicate"] == 1].set_index("gene")
    for place, name in enumerate(("plate", "well")):
        values = first[name].reindex(order["gene"]).to_numpy()
        order.insert(order.columns.get_loc("chosen_as") + 1 + place, name, values)
    return order
