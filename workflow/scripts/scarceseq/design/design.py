"""A list of genes to perturb: ordered, with what each adds, beside what random choice would reach."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.design.choice import choose, posterior_of
from scarceseq.design.curves import coverage_of, curve_table, equivalent_random, error_of, knee
from scarceseq.design.filters import apply_filters
from scarceseq.design.library import with_guides
from scarceseq.design.lists import COST_UNITS, by_symbol, in_cost_units, read_lists, with_default
from scarceseq.design.plates import lay_out
from scarceseq.errors import InputError
from scarceseq.joins import joins_table
from scarceseq.network.graph import Graph
from scarceseq.perturbation.features import Source, mean_kernel_features
from scarceseq.seeds import derive
from scarceseq.selection.cover import Cover, Limits
from scarceseq.selection.pool import arrange, quantise
from scarceseq.selection.reach import Reach, node_worth, reach_cover

log = logging.getLogger(__name__)

LISTED_NEIGHBOURS = 6
FIRST_COLUMNS = "rank gene given_as chosen_as plate well cost total_cost gain expected_error coverage_percent"
LAST_COLUMNS = "newly_reached covers reason"


@dataclass(frozen=True)
class Design:
    """What is handed to the user.

    Attributes
    ----------
    order : pandas.DataFrame
        rank, gene, given_as, chosen_as (required or chosen), plate and well (of the first replicate), cost (of all
        replicates), total_cost, gain, expected_error, coverage_percent, newly_reached, covers, reason, and a column for
        each filter.
    plates : pandas.DataFrame
        From `scarceseq.design.plates.lay_out`.
    coverage : pandas.DataFrame
        From `scarceseq.design.curves.curve_table`; from nothing chosen to twice the budget.
    names : pandas.DataFrame
        From `scarceseq.design.names.outcomes`, for all lists.
    joins : pandas.DataFrame
        From `scarceseq.joins.joins_table`: the lists, costs and weights with genes of the graphs.
    guides : pandas.DataFrame
        Rows of the user's library for the chosen genes; empty without one.
    summary : dict
    """

    order: pd.DataFrame
    plates: pd.DataFrame
    coverage: pd.DataFrame
    names: pd.DataFrame
    joins: pd.DataFrame
    guides: pd.DataFrame
    summary: dict


@dataclass(frozen=True)
class Problem:
    """Genes, in the order of ties, and what their choice is judged by.

    Attributes
    ----------
    everyone : numpy.ndarray of str
        Candidates, then measured genes, then targets that are neither.
    cover : Cover
    worth : numpy.ndarray, shape (everyone,)
        How much the prediction of each counts.
    limits : Limits
    price : numpy.ndarray, shape (everyone,)
    free : numpy.ndarray of int
        What may be chosen.
    """

    everyone: np.ndarray
    cover: Cover
    worth: np.ndarray
    limits: Limits
    price: np.ndarray
    free: np.ndarray


def design(sources: Sequence[Source], settings: dict[str, Any], seed: int) -> Design:
    """Choose genes.

    Parameters
    ----------
    sources : sequence of Graph or pandas.DataFrame
        Graphs, then embeddings of genes; reach and coverage are those of the first graph.
    settings : dict
        The config's section ``design``; files are read here.
    seed : int
    """
    if not settings["costs"] and settings["budget"] != int(settings["budget"]):
        raise InputError(f"config key design.budget: {settings['budget']} genes; without costs give a whole number")
    known = [source.nodes if isinstance(source, Graph) else source.index.to_numpy() for source in sources]
    names, lists, joins = read_lists(np.unique(np.concatenate(known).astype(str)), settings)
    values = apply_filters(settings, lists, joins)
    problem = pose(sources, lists, settings, joins)
    features = mean_kernel_features(sources, problem.everyone)
    start = posterior_of(features, problem.worth)
    criterion, limits, price = settings["criterion"], problem.limits, problem.price
    chosen, gains, rule = choose(criterion, problem.cover, start, limits, settings["blend"], seed)
    measures = {
        "coverage_percent": coverage_of(problem.cover, limits, problem.free),
        "expected_error": error_of(features, limits, problem.worth),
    }
    curve = curve_table(measures, chosen, limits, problem.free, price, settings["random_draws"], seed)
    within = curve["genes"] <= len(chosen) if settings["costs"] else curve["cost"] <= settings["budget"]
    taken = int(curve.loc[within, "genes"].max())
    order = order_table(problem, _first_graph(sources), chosen[:taken], gains[:taken])
    for name in measures:
        order[name] = curve[name].to_numpy()[1 : taken + 1]
    order = describe(order, names, lists, values, criterion)
    controls = settings["control_wells"], settings["controls"]
    plates = lay_out(order, settings["wells_per_plate"], *controls, settings["replicates"], derive(seed, "plates"))
    summary = summarise(settings, lists, names, curve, taken, rule) | {
        "graph_genes": len(np.unique(np.concatenate(known)))
    }
    summary |= {
        "wells_for_genes": settings["wells_per_plate"] - settings["control_wells"],
        "plates": int(plates["plate"].max()),
        "free_wells": int((plates["content"] == "empty").sum()),
    }
    log.info("design: %d of %d candidates chosen", taken, len(problem.free))
    order, guides = with_guides(order, set.union(*lists.values()), settings, joins)
    return Design(with_wells(order, plates), plates, curve, names, joins_table(joins), guides, summary)


def _first_graph(sources: Sequence[Source]) -> Graph:
    return next(source for source in sources if isinstance(source, Graph))


def pose(sources: Sequence[Source], lists: dict[str, set[str]], settings: dict[str, Any], joins: list) -> Problem:
    """The genes, what their choice is judged by, and its limits."""
    graph, measured = _first_graph(sources), lists["measured"]
    genes = np.array(sorted(lists["candidates"]), dtype=object)
    everyone, places, known = arrange(genes, measured, graph)
    others = np.array(sorted(lists["targets"] - set(everyone)), dtype=object)
    everyone = np.concatenate([everyone, others])
    ground = "tests" if settings["targets"] else "candidates"
    reach = Reach(settings["hops"], settings["direction"], ground, settings["usage"], settings["decay"])
    weights = by_symbol(settings, "gene_weights", graph.nodes, joins)
    reached = node_worth(everyone, graph, reach, everyone, sorted(lists["targets"]), weights)
    wanted = lists["targets"] or lists["candidates"]
    worth = np.array([weights.get(gene, 1.0) if gene in wanted else 0.0 for gene in everyone])
    named = sorted({*genes, *measured, *lists["excluded"]})
    prices = with_default(by_symbol(settings, "costs", named, joins), lists, settings, joins)
    costs = in_cost_units([settings["replicates"] * prices.get(gene, 1.0) for gene in everyone]) if prices else None
    closed = np.isin(everyone, list(lists["excluded"]))
    closed[len(everyone) - len(others) :] = True
    limits = Limits(
        budget=int(in_cost_units(settings["budget"])) if prices else int(settings["budget"]),
        costs=costs,
        measured=tuple(known),
        required=tuple(np.flatnonzero(np.isin(everyone, list(lists["required"])))),
        excluded=tuple(np.flatnonzero(closed)),
    )
    price = np.ones(len(everyone)) if costs is None else costs / COST_UNITS
    cover = reach_cover(everyone, graph, reach, quantise(reached))
    return Problem(everyone, cover, worth, limits, price, np.setdiff1d(places, limits.excluded))


def order_table(problem: Problem, graph: Graph, chosen: np.ndarray, gains: np.ndarray) -> pd.DataFrame:
    """Chosen genes with gain, costs, and the genes that each reaches first, most valuable first."""
    cover, known = problem.cover, problem.limits.measured
    named = np.concatenate([graph.nodes.astype(object), problem.everyone])
    seen = np.zeros(len(named), dtype=bool)
    for candidate in known:
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
    order: pd.DataFrame, names: pd.DataFrame, lists: dict[str, set[str]], values: pd.DataFrame, criterion: str
) -> pd.DataFrame:
    """The list with the user's own names, the reason for each gene, and its values of the filters' tables."""
    used = names[names["list"].isin(["candidates", "required"]) & names["outcome"].isin(["used", "outside"])]
    given = dict(zip(used["gene"][::-1], used["given"][::-1], strict=True))
    outside = set(names.loc[names["outcome"] == "outside", "gene"])
    by_gain = {
        "v_optimal": "leaves least expected error",
        "reach": "reaches most that is new",
        "blend": "best blend of expected error and reach",
        "random": "drawn at random",
    }[criterion]
    reasons = [
        ("required; in no graph, so nothing is known of its likes" if gene in outside else "required")
        if kind == "required"
        else by_gain
        for gene, kind in zip(order["gene"], order["chosen_as"], strict=True)
    ]
    order = order.assign(given_as=[given.get(gene, gene) for gene in order["gene"]], reason=reasons)
    columns = [*FIRST_COLUMNS.replace("plate well ", "").split(), *LAST_COLUMNS.split()]
    return pd.concat([order[columns], values.reindex(order["gene"]).reset_index(drop=True)], axis=1)


def with_wells(order: pd.DataFrame, plates: pd.DataFrame) -> pd.DataFrame:
    """The list with plate and well of each gene's first replicate."""
    first = plates[plates["replicate"] == 1].set_index("gene")
    for place, name in enumerate(("plate", "well")):
        order.insert(
            order.columns.get_loc("chosen_as") + 1 + place, name, first[name].reindex(order["gene"]).to_numpy()
        )
    return order


def summarise(
    settings: dict[str, Any],
    lists: dict[str, set[str]],
    names: pd.DataFrame,
    curve: pd.DataFrame,
    taken: int,
    rule: str,
) -> dict[str, Any]:
    """Facts for the page."""
    at, bend = curve.iloc[taken], curve.iloc[knee(curve)]
    counts = names["outcome"].value_counts()
    return {
        "graph": ", ".join(graphs_of(settings) + settings["embeddings"]),
        "criterion": settings["criterion"],
        "blend": settings["blend"],
        "candidates": len(lists["candidates"] - lists["excluded"]),
        "measured": len(lists["measured"]),
        "required": len(lists["required"]),
        "outside": int(counts.get("outside", 0)),
        "excluded": len(lists["excluded"]),
        "unknown": int(counts.get("unknown", 0) + counts.get("ambiguous", 0)),
        "duplicates": int(counts.get("duplicate", 0)),
        "budget": settings["budget"],
        "costs": bool(settings["costs"]),
        "rule": rule,
        "chosen": taken,
        "replicates": settings["replicates"],
        "spent": float(at["cost"]),
        "coverage_before": float(curve["coverage_percent"].iloc[0]),
        "coverage": float(at["coverage_percent"]),
        "random": [float(at[f"coverage_percent_random_{name}"]) for name in ("low", "median", "high")],
        "error": _number(at["expected_error"]),
        "error_random": [_number(at[f"expected_error_random_{name}"]) for name in ("low", "median", "high")],
        "equivalent_random": None if settings["costs"] else equivalent_random(curve, taken),
        "curve_genes": int(curve["genes"].max()),
        "random_draws": settings["random_draws"],
        "knee_genes": int(bend["genes"]),
        "knee_cost": float(bend["cost"]),
        "knee_coverage": float(bend["coverage_percent"]),
    }


def graphs_of(settings: dict[str, Any]) -> list[str]:
    """Names of the graphs that a design uses."""
    return [settings["graph"]] if isinstance(settings["graph"], str) else list(settings["graph"])


def _number(value: float) -> float | None:
    """A number for JSON; None where no gene is left to predict."""
    return float(value) if np.isfinite(value) else None
