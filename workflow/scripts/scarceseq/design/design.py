"""A list of genes to perturb: ordered, with what each adds, beside what random choice would reach."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scarceseq.design.names import by_gene, match, outcomes, read_aliases, read_names, read_numbers
from scarceseq.design.plates import lay_out
from scarceseq.errors import InputError
from scarceseq.joins import Join, check_join, joins_table
from scarceseq.network.graph import Graph
from scarceseq.seeds import derive
from scarceseq.selection.cover import Limits, better_of_two, greedy, marginal_gains
from scarceseq.selection.pool import QUANTUM, arrange, quantise
from scarceseq.selection.reach import Reach, node_worth, reach_cover

log = logging.getLogger(__name__)

LISTS = ("candidates", "measured", "required", "excluded", "targets")
LISTED_NEIGHBOURS = 6
COST_UNITS = 10**6  # costs are counted in millionths, so that tenths and hundredths add up exactly


@dataclass(frozen=True)
class Design:
    """What is handed to the user.

    Attributes
    ----------
    order : pandas.DataFrame
        rank, gene, given_as, plate and well (of the first replicate), cost (of all replicates), total_cost, gain,
        coverage_percent, newly_reached, covers.
    plates : pandas.DataFrame
        From `scarceseq.design.plates.lay_out`.
    coverage : pandas.DataFrame
        genes, cost, coverage_percent, random_low, random_median, random_high; from nothing chosen to twice the budget.
    names : pandas.DataFrame
        From `scarceseq.design.names.outcomes`, for all lists.
    joins : pandas.DataFrame
        From `scarceseq.joins.joins_table`: the lists, costs and weights with genes of the graph.
    summary : dict
    """

    order: pd.DataFrame
    plates: pd.DataFrame
    coverage: pd.DataFrame
    names: pd.DataFrame
    joins: pd.DataFrame
    summary: dict


def design(graph, settings, seed):
    """Choose genes.

    Parameters
    ----------
    graph : scarceseq.network.graph.Graph
    settings : dict
        The config's section ``design``; files are read here.
    seed : int

    Returns
    -------
    Design
    """
    if not settings["costs"] and settings["budget"] != int(settings["budget"]):
        raise InputError(f"config key design.budget: {settings['budget']} genes; without costs give a whole number")
    names, lists, joins = read_lists(graph, settings)
    genes, measured = np.array(sorted(lists["candidates"]), dtype=object), lists["measured"]
    everyone, places, known = arrange(genes, measured, graph)
    ground = "tests" if settings["targets"] else "candidates"
    reach = Reach(settings["hops"], settings["direction"], ground, settings["usage"], settings["decay"])
    weights = by_symbol(settings, "gene_weights", graph, joins)
    worth = node_worth(everyone, graph, reach, everyone, sorted(lists["targets"]), weights)
    cover = reach_cover(everyone, graph, reach, quantise(worth))
    prices = with_default(by_symbol(settings, "costs", graph, joins), lists, settings)
    wells = settings["replicates"]
    costs = in_cost_units([wells * prices.get(gene, 1.0) for gene in everyone]) if prices else None
    limits = Limits(
        budget=int(in_cost_units(settings["budget"])) if prices else int(settings["budget"]),
        costs=costs,
        measured=tuple(known),
        required=tuple(np.flatnonzero(np.isin(everyone, list(lists["required"])))),
        excluded=tuple(np.flatnonzero(np.isin(everyone, list(lists["excluded"])))),
    )
    chosen, gains, rule = choose(cover, limits)
    free = np.setdiff1d(places, limits.excluded)
    total = int(marginal_gains(cover, np.concatenate([known, free]).astype(int)).sum())
    price = np.ones(len(everyone)) if costs is None else costs / COST_UNITS
    curve = coverage_curve(cover, limits, chosen, free, price, total, settings["random_draws"], seed)
    within = curve["genes"] <= len(chosen) if prices else curve["cost"] <= settings["budget"]
    taken = int(curve.loc[within, "genes"].max())
    order = order_table(everyone, graph, cover, chosen[:taken], gains[:taken], known, price)
    order["coverage_percent"] = curve["coverage_percent"].to_numpy()[1 : taken + 1]
    used = names[(names["list"] == "candidates") & (names["outcome"] == "used")]
    given = dict(zip(used["gene"], used["given"], strict=True))
    order.insert(2, "given_as", [given.get(gene, gene) for gene in order["gene"]])
    plates = lay_out(order, settings["wells_per_plate"], settings["control_wells"], wells)
    order = with_wells(order, plates)
    summary = summarise(settings, lists, names, graph, curve, taken, rule)
    log.info("design: %d of %d candidates chosen", taken, len(free))
    return Design(order, plates, curve, names, joins_table(joins), summary)


def read_lists(graph: Graph, settings: dict) -> tuple[pd.DataFrame, dict[str, set[str]], list[Join]]:
    """What became of each given name, the genes of each list, and how the names matched."""
    aliases = read_aliases(settings["aliases"], settings["alias_column"], settings["symbol_column"])
    given = {use: read_names(settings[use]) for use in LISTS}
    joins = {use: match(given[use], graph, aliases, use, settings[use]) for use in LISTS}
    tables = [outcomes(given[use], joins[use], aliases, use) for use in LISTS]
    names = pd.concat(tables, ignore_index=True).astype(str)
    for use, part in names[names["outcome"].isin(["unknown", "ambiguous"])].groupby("list", sort=False):
        first = ", ".join(part["given"].head(5))
        log.warning("design.%s: %d names cannot be used, such as %s (names.tsv lists all)", use, len(part), first)
    lists = {use: set(table.loc[table["outcome"] == "used", "gene"]) for use, table in zip(LISTS, tables, strict=True)}
    if not settings["candidates"]:
        lists["candidates"] = set(graph.nodes)
    for use in ("required", "excluded", "targets"):
        lost = names[(names["list"] == use) & ~names["outcome"].isin(["used", "duplicate"])]
        if len(lost):
            row = lost.iloc[0]
            raise InputError(f"{settings[use]}: gene {row['given']} is {row['outcome']}; correct or remove it")
    checked = [check_join(joins[use], settings["minimum_matched_share"]) for use in LISTS if settings[use]]
    both = sorted(lists["required"] & (lists["excluded"] | lists["measured"]))
    if both:
        raise InputError(f"design: gene {both[0]} must be in, but is also excluded or measured already")
    lists["candidates"] = (lists["candidates"] | lists["required"]) - lists["measured"]
    if not lists["candidates"] - lists["excluded"]:
        raise InputError(
            f"design: none of the {(names['list'] == 'candidates').sum()} candidates is in the graph and free to be "
            f"chosen; check organism, gene symbols and design.aliases. The graph has {', '.join(graph.nodes[:3])}, ..."
        )
    return names, lists, checked


def in_cost_units(costs):
    """Costs as whole numbers."""
    return np.rint(np.asarray(costs, dtype=float) * COST_UNITS).astype(np.int64)


def by_symbol(settings: dict, key: str, graph: Graph, joins: list[Join]) -> dict[str, float]:
    """Costs or weights under the graph's symbols, those of genes that it has; the join is added to `joins`."""
    column, least = {"costs": ("cost", "positive"), "gene_weights": ("weight", "zero")}[key]
    numbers = read_numbers(settings[key], column, least)
    if not numbers:
        return {}
    aliases = read_aliases(settings["aliases"], settings["alias_column"], settings["symbol_column"])
    join = check_join(match(list(numbers), graph, aliases, key, settings[key]), settings["minimum_matched_share"])
    joins.append(join)
    return by_gene(numbers, join)


def with_default(prices: dict[str, float], lists: dict[str, set[str]], settings: dict) -> dict[str, float]:
    """Costs of all genes that may be chosen; refuses one without a cost, unless the config gives a cost for such."""
    if not settings["costs"]:
        return {}
    lacking = sorted(lists["candidates"] - lists["excluded"] - prices.keys())
    default = settings["default_cost"]
    if lacking and default is None:
        raise InputError(
            f"{settings['costs']}: {len(lacking)} genes that may be chosen have no cost, such as "
            f"{', '.join(lacking[:5])}; add them, or set design.default_cost"
        )
    return prices | dict.fromkeys(lacking, default)


def choose(cover, limits):
    """Order, gains, and the rule in words: the budget and as much again, or with costs the better of two rules."""
    if limits.costs is None:
        free = len(cover) - len({*limits.measured, *limits.excluded})
        if len(limits.required) > limits.budget:
            raise InputError(f"design: the budget is {limits.budget}, but {len(limits.required)} genes must be in")
        wider = Limits(min(2 * limits.budget, free), None, False, *(limits.measured, limits.required, limits.excluded))
        return (*greedy(cover, wider), "by gain")
    order, gains, by_cost = better_of_two(cover, limits)
    if not len(order):
        raise InputError("design: the budget does not pay for a single candidate")
    return order, gains, "by gain per cost" if by_cost else "by gain"


def coverage_curve(cover, limits, chosen, free, price, total, draws, seed):
    """Share of what all candidates together would reach, after each choice, and the same for random choices.

    Random choices contain what must be in, too; their band is read at the cost of each of our choices.

    Returns
    -------
    pandas.DataFrame
        See `Design.coverage`; the band holds 95% of the random choices.
    """
    known = np.array(limits.measured, dtype=int)
    start = int(marginal_gains(cover, known).sum())

    def share(order):
        gained = marginal_gains(cover, np.concatenate([known, order]).astype(int))[len(known) :]
        return 100 * (start + np.concatenate([[0], np.cumsum(gained)])) / max(total, 1)

    cost = np.concatenate([[0.0], np.cumsum(price[chosen])])
    required = np.array(limits.required, dtype=int)
    others = np.setdiff1d(free, required)
    random = []
    for draw in range(draws):
        drawn = np.random.default_rng(derive(seed, "design", draw)).permutation(others)
        drawn = np.concatenate([required, drawn]).astype(int)
        spent = np.concatenate([[0.0], np.cumsum(price[drawn])])
        reach = int(np.searchsorted(spent, cost[-1], side="right"))
        at = np.searchsorted(spent[:reach], cost, side="right") - 1
        random.append(share(drawn[: reach - 1])[at])
    low, median, high = np.percentile(random, [2.5, 50, 97.5], axis=0)
    columns = {"genes": np.arange(len(cost)), "cost": cost, "coverage_percent": share(chosen)}
    return pd.DataFrame(columns | {"random_low": low, "random_median": median, "random_high": high})


def knee(curve):
    """Row of the curve farthest above the straight line between its ends (Satopaa et al. 2011)."""
    x, y = curve["cost"].to_numpy(), curve["coverage_percent"].to_numpy()
    if len(x) < 3 or y[-1] <= y[0]:
        return len(x) - 1
    return int(np.argmax((y - y[0]) / (y[-1] - y[0]) - (x - x[0]) / (x[-1] - x[0])))


def order_table(everyone, graph, cover, chosen, gains, known, price):
    """Chosen genes with gain, costs, and the genes that each reaches first, most valuable first."""
    named = np.concatenate([graph.nodes.astype(object), everyone])
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
        rows.append((everyone[candidate], price[candidate], gain * QUANTUM, len(new), covers))
    table = pd.DataFrame(rows, columns=["gene", "cost", "gain", "newly_reached", "covers"])
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    table["total_cost"] = table["cost"].cumsum()
    return table


def with_wells(order, plates):
    """The list with plate and well of each gene's first replicate."""
    first = plates[plates["replicate"] == 1].set_index("gene")
    order = order.assign(**{name: first[name].reindex(order["gene"]).to_numpy() for name in ("plate", "well")})
    columns = "rank gene given_as plate well cost total_cost gain coverage_percent newly_reached covers"
    return order[columns.split()]


def summarise(settings, lists, names, graph, curve, taken, rule):
    """Facts for the page."""
    at, bend = curve.iloc[taken], curve.iloc[knee(curve)]
    counts = names["outcome"].value_counts()
    return {
        "graph": settings["graph"],
        "graph_genes": len(graph.nodes),
        "candidates": len(lists["candidates"] - lists["excluded"]),
        "measured": len(lists["measured"]),
        "required": len(lists["required"]),
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
        "random": [float(at[name]) for name in ("random_low", "random_median", "random_high")],
        "random_draws": settings["random_draws"],
        "knee_genes": int(bend["genes"]),
        "knee_cost": float(bend["cost"]),
        "knee_coverage": float(bend["coverage_percent"]),
    }
