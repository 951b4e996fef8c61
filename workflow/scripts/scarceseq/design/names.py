"""A user's lists of genes, brought to the symbols that a graph uses."""

import difflib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from scarceseq.errors import InputError
from scarceseq.joins import Join, match_names
from scarceseq.user_tables import read_columns, read_first_cells, read_user_table
from scarceseq.user_values import meant, numbers

SUGGESTED_FOR = 20
LIKENESS = 0.75  # of difflib: one letter of five may be another


def read_names(path: str | Path | None) -> list[str]:
    """Genes of a list: the first field of each line, without empty lines and a heading `gene`; of a screen's profiles
    (.h5ad) the perturbations. Empty for no path.
    """
    if not path:
        return []
    if str(path).endswith(".h5ad"):
        return perturbations_of(path)
    names = read_first_cells(path)
    names = names[1:] if names and names[0].lower() == "gene" else names
    if not names:
        raise InputError(f"{path}: the list of genes is empty")
    return names


def perturbations_of(path: str | Path) -> list[str]:
    """Names of the perturbations of a screen's profiles, as the rule prepare_screen writes them."""
    import anndata

    try:
        names = anndata.read_h5ad(path, backed="r").obs_names
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a screen's profiles ({error})") from error
    if names.has_duplicates:
        raise InputError(
            f"{path}: has several rows of {names[names.duplicated()][0]}; a row for each perturbation is wanted, as in "
            "a run's screen/<screen>/pseudobulk.h5ad. Put a screen of cells under `screens` and name it here"
        )
    return list(map(str, names))


def read_numbers(path: str | Path | None, column: str, smallest: str) -> dict[str, float]:
    """Number of each gene, from the columns `gene` and `column` of a table; empty for no path.

    `smallest` says what the numbers must at least be: positive, zero or any.
    """
    if not path:
        return {}
    table = read_columns(path, ["gene", column])
    values = pd.Series(numbers(pa.chunked_array([pa.array(table[column], pa.string())]))[0])
    wrong = {"positive": ~(values > 0), "zero": ~(values >= 0), "any": values.isna()}[smallest]
    wrong |= values.abs() == float("inf")
    if wrong.any():
        row = int(wrong.argmax())
        least = {"positive": "above 0", "zero": "of 0 or more", "any": "that is finite"}[smallest]
        raise InputError(
            f"{path}: the {column} '{table[column].iloc[row]}' of gene {table['gene'].iloc[row]} (row {row + 1}) is no "
            f"number {least}{meant(table[column].iloc[row])}"
        )
    twice = table["gene"][table["gene"].duplicated()]
    if len(twice):
        raise InputError(f"{path}: gene {twice.iloc[0]} has two rows; leave one")
    return dict(zip(table["gene"], values, strict=True))


def read_aliases(
    tables: str | Sequence[str] | None, alias_columns: str | Sequence[str], symbol_columns: str | Sequence[str]
) -> dict[str, set[str]]:
    """Symbols that each other name stands for, in any case; Ensembl ids without version.

    Each table has one or more of the columns of other names (former symbols, Ensembl and Entrez ids) and of symbols.
    Raises `InputError` if a table has none of the columns.
    """
    meant: dict[str, set[str]] = {}
    for path in listed(tables):
        header = read_user_table(path).header
        columns = [[name for name in listed(given) if name in header] for given in (alias_columns, symbol_columns)]
        if not all(columns):  # says which columns there are
            read_columns(path, [listed(alias_columns)[0], listed(symbol_columns)[0]])
        table = read_columns(path, list(dict.fromkeys([*columns[0], *columns[1]])))
        for alias, symbol in itertools.product(*columns):
            for other, gene in zip(table[alias], table[symbol], strict=True):
                if other and gene:
                    meant.setdefault(_key(other), set()).add(gene)
    return meant


def listed(value: str | Sequence[str] | None) -> list[str]:
    """Paths or columns of a key that takes one or several."""
    return [str(value)] if isinstance(value, (str, Path)) else list(value or ())


def _key(name: str) -> str:
    """A name as it is looked up among aliases."""
    return unversioned(name).upper()


def unversioned(name: str) -> str:
    """An Ensembl id without its version; another name as it is."""
    return name.split(".")[0] if name.upper().startswith("ENS") else name


def stands_for(name: str, aliases: Mapping[str, set[str]]) -> str:
    """Symbol of a name that the table of other names knows, as a symbol or as another name of one; else empty."""
    symbols = aliases.get(_key(name), set())
    if len(symbols) == 1:
        return next(iter(symbols))
    return name if any(name in each for each in aliases.values()) else ""


def match(
    names: Sequence[str], genes: Sequence[str] | np.ndarray, aliases: Mapping[str, set[str]], what: str, path: str
) -> Join:
    """Names matched with genes of the graphs: as they stand, by their aliases, and in any case.

    `what` and `path` are for messages and the table of joins.
    """
    others = {name: aliases.get(_key(name), set()) for name in names} if aliases else {}
    return match_names(names, list(map(str, genes)), f"{what} to genes of the graph", path, others)


def outcomes(names: Sequence[str], join: Join, aliases: Mapping[str, set[str]], use: str) -> pd.DataFrame:
    """What each given name stands for, by the join of `match`; `use` says what the list is for.

    Returns columns list, given, gene (empty unless there is one), suggestion (a gene that an unknown name looks like),
    outcome: ``used``; ``unknown``: neither it nor what it stands for is in the graph; ``ambiguous``: it stands for
    several genes of the graph; ``duplicate``: another name of the list stands for that gene already. The list of
    required genes also has ``outside``: in no graph, and kept.
    """
    rows, seen, nodes = [], set(), set(join.there)
    for name in names:
        gene = join.pairs.get(name, "")
        several = len(aliases.get(_key(name), set()) & nodes) > 1
        outcome = "used" if gene else "ambiguous" if several else "unknown"
        if gene in seen:
            outcome = "duplicate"
        seen |= {gene} - {""}
        rows.append((use, name, gene, outcome))
    table = pd.DataFrame(rows, columns=["list", "given", "gene", "outcome"])
    lost = table.loc[table["outcome"] == "unknown", "given"].tolist()
    return table.assign(suggestion=table["given"].map(suggestions(lost, sorted(nodes))).fillna(""))


def suggestions(names: Sequence[str], genes: Sequence[str]) -> dict[str, str]:
    """The gene that each name looks like, if there is one; of the first `SUGGESTED_FOR` names."""
    by_capitals = {gene.upper(): gene for gene in genes}
    alike = {}
    for name in names[:SUGGESTED_FOR]:
        for near in difflib.get_close_matches(name.upper(), by_capitals, n=1, cutoff=LIKENESS):
            alike[name] = by_capitals[near]
    return alike


def by_gene(numbers: Mapping[str, float], join: Join) -> dict[str, float]:
    """Numbers of given names under the graph's symbols.

    Raises `InputError` if two names of one gene have different numbers.
    """
    values: dict[str, float] = {}
    for name, gene in join.pairs.items():
        if values.setdefault(gene, numbers[name]) != numbers[name]:
            raise InputError(f"{join.table}: gene {gene} has two rows, one as {name}, of different numbers; leave one")
    return values
