"""Guides of the chosen genes, from the user's library."""

import logging
from typing import Any

import pandas as pd

from scarceseq.design.names import match, read_aliases
from scarceseq.joins import Join, check_join
from scarceseq.user_tables import read_user_table

log = logging.getLogger(__name__)


def with_guides(
    order: pd.DataFrame, listed: set[str], settings: dict[str, Any], joins: list[Join]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The list with the number of guides of each gene, and the library's rows for its genes.

    - `listed`: genes of the user's lists: a library of all of them is no table of strange names
    - `joins`: gets the join of the library with these

    Returns the list with a column ``guides``; rank, gene and all columns of the library, in the order of the list, at
    most `guides_per_gene` rows of each gene, the library's first ones.
    """
    if not settings["library"]:
        return order, pd.DataFrame(columns=["rank", "gene"])
    column = settings["library_gene_column"]
    table = read_user_table(settings["library"], [column]).text()
    aliases = read_aliases(settings["aliases"], settings["alias_column"], settings["symbol_column"])
    genes = order["gene"].tolist()
    candidates = sorted(listed.union(genes))
    named = table[column][table[column] != ""].tolist()
    join = check_join(match(named, candidates, aliases, "guides", settings["library"]))
    joins.append(join)
    rows = table.assign(_gene=table[column].map(dict(join.pairs)))
    rows = rows[rows["_gene"].isin(genes)]
    rows = rows[rows.groupby("_gene").cumcount() < settings["guides_per_gene"]]
    counts = rows["_gene"].value_counts().reindex(genes).fillna(0).astype(int)
    without = counts.index[counts == 0].tolist()
    if without:
        log.warning("%s: no guide for what was chosen: %s", settings["library"], ", ".join(without))
    ranks = dict(zip(order["gene"], order["rank"], strict=True))
    rows = rows.assign(_rank=rows["_gene"].map(ranks)).sort_values("_rank", kind="stable")
    guides = pd.DataFrame({"rank": rows["_rank"], "gene": rows["_gene"]})
    rest = rows.drop(columns=["_rank", "_gene"]).rename(columns={"rank": "library_rank", "gene": "library_gene"})
    return order.assign(guides=counts.to_numpy()), pd.concat([guides, rest], axis=1).reset_index(drop=True)
