"""What a user's lists and tables say about genes, by the names that the graphs use."""

import logging
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from scarceseq.design.names import (
    by_gene,
    listed,
    match,
    outcomes,
    read_aliases,
    read_names,
    read_numbers,
    stands_for,
    suggestions,
)
from scarceseq.errors import InputError
from scarceseq.joins import Join, check_join, match_names

log = logging.getLogger(__name__)

OTHER_NAMES = "symbols that the other names stand for to genes of the graph"
LISTS = ("candidates", "measured", "required", "excluded", "targets")
COST_UNITS = 10**6  # costs are counted in millionths, so that tenths and hundredths add up exactly


def read_lists(genes: np.ndarray, settings: dict) -> tuple[pd.DataFrame, dict[str, set[str]], list[Join]]:
    """What became of each given name, the genes of each list, and how the names matched."""
    aliases = read_aliases(settings["aliases"], settings["alias_column"], settings["symbol_column"])
    given = {use: read_names(settings[use]) for use in LISTS}
    joins = {use: match(given[use], genes, aliases, use, settings[use]) for use in LISTS}
    tables = [outcomes(given[use], joins[use], aliases, use) for use in LISTS]
    tables[LISTS.index("required")] = keep_outside(tables[LISTS.index("required")], aliases, settings["required"])
    names = pd.concat(tables, ignore_index=True).astype(str)
    for use, lost in names[names["outcome"].isin(["unknown", "ambiguous"])].groupby("list", sort=False):
        first = ", ".join(lost["given"].head(5))
        log.warning("design.%s: %d names cannot be used, such as %s (names.tsv lists all)", use, len(lost), first)
    taken = ["used", "outside"]
    lists = {
        use: set(table.loc[table["outcome"].isin(taken), "gene"]) for use, table in zip(LISTS, tables, strict=True)
    }
    if not settings["candidates"]:
        lists["candidates"] = set(genes)
    for use in ("required", "excluded", "targets"):
        lost = names[(names["list"] == use) & ~names["outcome"].isin([*taken, "duplicate"])]
        if len(lost):
            row = lost.iloc[0]
            hint = f" (did you mean {row['suggestion']}?)" if row["suggestion"] else ""
            raise InputError(f"{settings[use]}: gene {row['given']} is {row['outcome']}{hint}; correct or remove it")
    outside = (names["outcome"] == "outside").any()
    checked = [
        joins[use] if use == "required" and outside else check_join(joins[use], settings["minimum_matched_share"])
        for use in LISTS
        if settings[use]
    ]
    if aliases:
        symbols = sorted(set().union(*aliases.values()))
        table = ", ".join(listed(settings["aliases"]))
        checked.append(check_join(match_names(symbols, list(map(str, genes)), OTHER_NAMES, table)))
    if settings["responses"]:
        lists["measured"] |= read_responses(settings, genes, checked).keys()
    both = sorted(lists["required"] & (lists["excluded"] | lists["measured"]))
    if both:
        raise InputError(f"design: gene {both[0]} must be in, but is also excluded or measured already")
    lists["candidates"] = (lists["candidates"] | lists["required"]) - lists["measured"]
    if not lists["candidates"] - lists["excluded"]:
        raise InputError(
            f"design: none of the {(names['list'] == 'candidates').sum()} candidates is in the graph and free to be "
            f"chosen; check organism, gene symbols and design.aliases. The graph has {', '.join(genes[:3])}, ..."
        )
    return names, lists, checked


def keep_outside(required: pd.DataFrame, aliases: dict[str, set[str]], path: str) -> pd.DataFrame:
    """Names of the list `required` that no graph has, kept as they are: nothing is known of what they are like.

    One that looks like a gene of the graphs, and is none that the table of other names knows, stays unknown: it is
    probably misspelt.
    """
    real = required["given"].map(lambda name: stands_for(name, aliases))
    kept = (required["outcome"] == "unknown") & ((required["suggestion"] == "") | (real != ""))
    if kept.any():
        log.warning("%s: in no graph, and kept since they must be in: %s", path, ", ".join(required["given"][kept]))
    gene = required["gene"].mask(kept, real.where(real != "", required["given"]))
    outcome = required["outcome"].mask(kept, "outside")
    return required.assign(gene=gene, outcome=outcome, suggestion=required["suggestion"].mask(kept, ""))


def in_cost_units(costs: float | Sequence[float]) -> np.ndarray:
    """Costs as whole numbers."""
    return np.rint(np.asarray(costs, dtype=float) * COST_UNITS).astype(np.int64)


def read_named_numbers(
    settings: dict, path: str, column: str, what: str, genes: Collection[str], joins: list[Join], least: str = "any"
) -> dict[str, float]:
    """Numbers of a table under the symbols of `genes`, those that it has; the join is added to `joins`."""
    numbers = read_numbers(path, column, least)
    if not numbers:
        return {}
    aliases = read_aliases(settings["aliases"], settings["alias_column"], settings["symbol_column"])
    join = check_join(match(list(numbers), sorted(genes), aliases, what, path), settings["minimum_matched_share"])
    joins.append(join)
    return by_gene(numbers, join)


def read_responses(settings: dict, genes: Collection[str], joins: list[Join]) -> dict[str, float]:
    """Responses so far under the graph's symbols; the join is added to `joins`."""
    return read_named_numbers(settings, settings["responses"], settings["response_column"], "responses", genes, joins)


def with_default(
    prices: dict[str, float], lists: dict[str, set[str]], settings: dict, joins: Sequence[Join]
) -> dict[str, float]:
    """Costs of all genes that may be chosen; refuses one without a cost, unless the config gives a cost for such."""
    if not settings["costs"]:
        return {}
    lacking = sorted(lists["candidates"] - lists["excluded"] - prices.keys())
    default = settings["default_cost"]
    if lacking and default is None:
        some = ", ".join(lacking[:5])
        strange = next(join.unmatched for join in joins if join.table == settings["costs"])
        likely = suggestions(strange, lacking)
        hints = "; ".join(f"its row {name} may be {gene}" for name, gene in likely.items())
        raise InputError(
            f"{settings['costs']}: has no cost for {len(lacking)} of the genes that may be chosen, such as {some}"
            f"{f' ({hints})' if hints else ''}; add them, or set design.default_cost"
        )
    if lacking:
        first = settings["costs"], len(lacking), lacking[:5]
        log.warning("%s: %d genes that may be chosen get default_cost: %s", *first)
    return prices | dict.fromkeys(lacking, default)
