"""What a design chooses among, and what its choice is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scarceseq.design.lists import COST_UNITS, in_cost_units, read_named_numbers, with_default
from scarceseq.network.graph import Graph
from scarceseq.perturbation.features import Source
from scarceseq.selection.cover import Cover, Limits
from scarceseq.selection.pool import arrange, quantise
from scarceseq.selection.reach import Reach, node_worth, reach_cover


@dataclass(frozen=True)
class Problem:
    """Genes, in the order of ties, and what their choice is judged by.

    - `everyone`: candidates, then measured genes, then targets that are neither
    - `worth` (everyone,): how much the prediction of each counts
    - `price` (everyone,)
    - `free`: positions of what may be chosen
    """

    everyone: np.ndarray
    cover: Cover
    worth: np.ndarray
    limits: Limits
    price: np.ndarray
    free: np.ndarray


def first_graph(sources: Sequence[Source]) -> Graph:
    """The graph of reach and coverage."""
    return next(source for source in sources if isinstance(source, Graph))


def pose(sources: Sequence[Source], lists: dict[str, set[str]], settings: dict[str, Any], joins: list) -> Problem:
    """The genes, what their choice is judged by, and its limits."""
    graph, measured = first_graph(sources), lists["measured"]
    genes = np.array(sorted(lists["candidates"]), dtype=object)
    everyone, places, measured_places = arrange(genes, measured, graph)
    others = np.array(sorted(lists["targets"] - set(everyone)), dtype=object)
    everyone = np.concatenate([everyone, others])
    ground = "tests" if settings["targets"] else "candidates"
    reach = Reach(settings["hops"], settings["direction"], ground, settings["usage"], settings["decay"])
    table = settings["gene_weights"], "weight", "gene_weights"
    weights = read_named_numbers(settings, *table, graph.nodes, joins, least="zero")
    reached = node_worth(everyone, graph, reach, everyone, sorted(lists["targets"]), weights)
    wanted = lists["targets"] or lists["candidates"]
    worth = np.array([weights.get(gene, 1.0) if gene in wanted else 0.0 for gene in everyone])
    named = sorted({*genes, *measured, *lists["excluded"]})
    prices = read_named_numbers(settings, settings["costs"], "cost", "costs", named, joins, least="positive")
    prices = with_default(prices, lists, settings, joins)
    costs = in_cost_units([settings["replicates"] * prices.get(gene, 1.0) for gene in everyone]) if prices else None
    closed = np.isin(everyone, list(lists["excluded"]))
    closed[len(everyone) - len(others) :] = True
    limits = Limits(
        budget=int(in_cost_units(settings["budget"])) if prices else int(settings["budget"]),
        costs=costs,
        measured=tuple(measured_places),
        required=tuple(np.flatnonzero(np.isin(everyone, list(lists["required"])))),
        excluded=tuple(np.flatnonzero(closed)),
    )
    price = np.ones(len(everyone)) if costs is None else costs / COST_UNITS
    cover = reach_cover(everyone, graph, reach, quantise(reached))
    return Problem(everyone, cover, worth, limits, price, np.setdiff1d(places, limits.excluded))
