"""A user's lists of genes, brought to the symbols that a graph uses."""

import pandas as pd
import pyarrow as pa

from scarceseq.errors import InputError
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


def resolve(names, known, aliases, use):
    """What each given name stands for.

    A name that the graph has is that gene; another one is looked up among the aliases.

    Parameters
    ----------
    names : list of str
    known : set of str
        Symbols of the graph.
    aliases : dict of str to set of str
    use : str
        What the list is for; kept in the table.

    Returns
    -------
    pandas.DataFrame
        list, given, gene (empty unless found), outcome: ``used``; ``unknown``: neither it nor what it stands for is in
        the graph; ``ambiguous``: it stands for several genes of the graph; ``duplicate``: another name of the list
        stands for that gene already.
    """
    rows, seen = [], set()
    for name in names:
        found = {name} if name in known else aliases.get(unversioned(name), set()) & known
        gene = next(iter(found)) if len(found) == 1 else ""
        outcome = "used" if gene else "ambiguous" if found else "unknown"
        if gene in seen:
            outcome = "duplicate"
        seen |= {gene} - {""}
        rows.append((use, name, gene, outcome))
    return pd.DataFrame(rows, columns=["list", "given", "gene", "outcome"])
