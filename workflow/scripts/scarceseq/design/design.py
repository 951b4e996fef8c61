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
from scarceseq.design.hits import list_hits
from scarceseq.design.library import with_guides
from scarceseq.design.lists import read_lists, read_responses
from scarceseq.design.order import describe, order_table, with_wells
from scarceseq.design.plates import lay_out
from scarceseq.design.problem import first_graph, pose
from scarceseq.errors import InputError
from scarceseq.joins import joins_table
from scarceseq.network.graph import Graph
from scarceseq.perturbation.features import Source, mean_kernel_features
from scarceseq.seeds import derive

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Design:
    """What is handed to the user.

    - `order`: columns rank, gene, given_as, chosen_as (required or chosen), plate and well (of the first replicate),
      cost (of all replicates), total_cost, gain, expected_error, coverage_percent, newly_reached, covers, reason, and a
      column for each filter; for hits also expected_response and response_sd, the expectation from the responses so far
      and its standard deviation
    - `plates`: from `scarceseq.design.plates.lay_out`
    - `coverage`: from `scarceseq.design.curves.curve_table`; from nothing chosen to twice the budget
    - `names`: from `scarceseq.design.names.outcomes`, for all lists
    - `joins`: from `scarceseq.joins.joins_table`: the lists, costs and weights with genes of the graphs
    - `guides`: rows of the user's library for the chosen genes; empty without one
    """

    order: pd.DataFrame
    plates: pd.DataFrame
    coverage: pd.DataFrame
    names: pd.DataFrame
    joins: pd.DataFrame
    guides: pd.DataFrame
    summary: dict


def design(sources: Sequence[Source], settings: dict[str, Any], seed: int) -> Design:
    """Choose genes.

    - `sources`: graphs, then embeddings of genes; reach and coverage are those of the first graph
    - `settings`: the config's section ``design``; files are read here
    """
    if not settings["costs"] and settings["budget"] != int(settings["budget"]):
        raise InputError(f"config key design.budget: {settings['budget']} genes; without costs give a whole number")
    named = [source.nodes if isinstance(source, Graph) else source.index.to_numpy() for source in sources]
    names, lists, joins = read_lists(np.unique(np.concatenate(named).astype(str)), settings)
    values = apply_filters(settings, lists, joins)
    problem = pose(sources, lists, settings, joins)
    features = mean_kernel_features(sources, problem.everyone)
    limits, price, hits = problem.limits, problem.price, None
    if settings["goal"] == "hits":
        responses = read_responses(settings, lists["measured"], [])
        hits = list_hits(settings, responses, problem.everyone, features, limits, seed)
        chosen, gains, rule = hits.order, hits.values, "by acquisition, whatever the cost"
    else:
        start = posterior_of(features, problem.worth)
        chosen, gains, rule = choose(settings["criterion"], problem.cover, start, limits, settings["blend"], seed)
    measures = {
        "coverage_percent": coverage_of(problem.cover, limits, problem.free),
        "expected_error": error_of(features, limits, problem.worth),
    }
    curve = curve_table(measures, chosen, limits, problem.free, price, settings["random_draws"], seed)
    within = curve["genes"] <= len(chosen) if settings["costs"] else curve["cost"] <= settings["budget"]
    taken = int(curve.loc[within, "genes"].max())
    order = order_table(problem, first_graph(sources), chosen[:taken], gains[:taken])
    for name in measures:
        order[name] = curve[name].to_numpy()[1 : taken + 1]
    order = describe(order, names, lists, values, settings)
    if hits:
        order.insert(order.columns.get_loc("gain") + 1, "expected_response", hits.expected[chosen[:taken]])
        order.insert(order.columns.get_loc("gain") + 2, "response_sd", hits.deviation[chosen[:taken]])
    controls = settings["control_wells"], settings["controls"]
    plates = lay_out(order, settings["wells_per_plate"], *controls, settings["replicates"], derive(seed, "plates"))
    summary = summarise(settings, lists, names, curve, taken, rule) | {
        "graph_genes": len(np.unique(np.concatenate(named))),
        "wells_for_genes": settings["wells_per_plate"] - settings["control_wells"],
        "plates": int(plates["plate"].max()),
        "free_wells": int((plates["content"] == "empty").sum()),
        "hits": hits.facts | {"mean_list": float(order["expected_response"].mean())} if hits else None,
    }
    log.info("design: %d of %d candidates chosen", taken, len(problem.free))
    order, guides = with_guides(order, set.union(*lists.values()), settings, joins)
    return Design(with_wells(order, plates), plates, curve, names, joins_table(joins), guides, summary)


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
        "goal": settings["goal"],
        "criterion": settings["criterion"],
        "acquisition": settings["acquisition"],
        "hits_are": settings["hits_are"],
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
        "error": _finite(at["expected_error"]),
        "error_random": [_finite(at[f"expected_error_random_{name}"]) for name in ("low", "median", "high")],
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


def _finite(value: float) -> float | None:
    """A number for JSON; None where no gene is left to predict."""
    return float(value) if np.isfinite(value) else None
