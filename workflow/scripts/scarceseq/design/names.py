"""A user's lists of genes, brought to the symbols that a graph uses."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

from scarceseq.errors import InputError
from scarceseq.joins import Join, match_names
from scarceseq.network.graph import Graph
from scarceseq.user_tables import read_columns, read_first_cells
from scarceseq.user_values import meant, numbers

OUTCOMES = ("used", "unknown", "ambiguous", "duplicate")


def read_names(path):
    """Genes of a list: the first field of each line, without empty lines and a heading `gene`.

    Parameters
    ----------
    path : path or None

    Returns
    -------
    list of str
        Empty for no path.
    """
    if not path:
        return []
    names = read_first_cells(path)
    names = names[1:] if names and names[0].lower() == "gene" else names
    if not names:
        raise InputError(f"{path}: the list of genes is empty")
    return names


def read_numbers(path, column, smallest):
    """Number of each gene, from the columns `gene` and `column` of a table.

    Parameters
    ----------
    path : path or None
    column : str
    smallest : {'positive', 'zero'}
        What the numbers must at least be.

    Returns
    -------
    dict of str to float
        Empty for no path.
    """
    if not path:
        return {}
    table = read_columns(path, ["gene", column])
    number = pd.Series(numbers(pa.chunked_array([pa.array(table[column], pa.string())]))[0])
    wrong = ~(number > 0) if smallest == "positive" else ~(number >= 0)
    wrong |= number == float("inf")
    if wrong.any():
        row = int(wrong.argmax())
        least = "above 0" if smallest == "positive" else "of 0 or more"
        raise InputError(
            f"{path}: the {column} '{table[column].iloc[row]}' of gene {table['gene'].iloc[row]} (row {row + 1}) is no "
            f"number {least}{meant(table[column].iloc[row])}"
        )
    twice = table["gene"][table["gene"].duplicated()]
    if len(twice):
        raise InputError(f"{path}: gene {twice.iloc[0]} has two rows; leave one")
    return dict(zip(table["gene"], number, strict=True))


def read_aliases(path, alias_column, symbol_column):
    """Symbols that each other name stands for; Ensembl ids without version."""
    if not path:
        return {}
    table = read_columns(path, [alias_column, symbol_column])
    table.columns = ["alias", "symbol"]
    table = table[(table["alias"] != "") & (table["symbol"] != "")]
    table = table.assign(alias=table["alias"].map(unversioned)).drop_duplicates()
    return table.groupby("alias")["symbol"].agg(set).to_dict()


def unversioned(name):
    """An Ensembl id without its version; another name as it is."""
    return name.split(".")[0] if name.startswith("ENS") else name


def match(names: Sequence[str], graph: Graph, aliases: Mapping[str, set[str]], what: str, path: str) -> Join:
    """Names matched with genes of the graph: as they stand, by their aliases, and in any case.

    Parameters
    ----------
    names : list of str
    graph : Graph
    aliases : dict of str to set of str
        From `read_aliases`.
    what, path : str
        For messages and the table of joins.
    """
    others = {name: aliases.get(unversioned(name), set()) for name in names} if aliases else {}
    return match_names(names, graph.nodes.tolist(), f"{what} to genes of the graph", path, others)


def outcomes(names: Sequence[str], join: Join, aliases: Mapping[str, set[str]], use: str) -> pd.DataFrame:
    """What each given name stands for.

    Parameters
    ----------
    names : list of str
    join : Join
        From `match`.
    aliases : dict of str to set of str
    use : str
        What the list is for; kept in the table.

    Returns
    -------
    pandas.DataFrame
        list, given, gene (empty unless there is one), outcome: ``used``; ``unknown``: neither it nor what it stands for
        is in the graph; ``ambiguous``: it stands for several genes of the graph; ``duplicate``: another name of the
        list stands for that gene already.
    """
    rows, seen, nodes = [], set(), set(join.there)
    for name in names:
        gene = join.pairs.get(name, "")
        several = len(aliases.get(unversioned(name), set()) & nodes) > 1
        outcome = "used" if gene else "ambiguous" if several else "unknown"
        if gene in seen:
            outcome = "duplicate"
        seen |= {gene} - {""}
        rows.append((use, name, gene, outcome))
    return pd.DataFrame(rows, columns=["list", "given", "gene", "outcome"])


def by_gene(numbers: Mapping[str, float], join: Join) -> dict[str, float]:
    """Numbers of given names under the graph's symbols.

    Raises
    ------
    InputError
        If two names of one gene have different numbers.
    """
    values: dict[str, float] = {}
    for name, gene in join.pairs.items():
        if values.setdefault(gene, numbers[name]) != numbers[name]:
            raise InputError(f"{join.table}: gene {gene} has two rows, one as {name}, of different numbers; leave one")
    return values
