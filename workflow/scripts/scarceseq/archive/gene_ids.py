"""From the gene ids that people use to those of the annotation."""

from collections.abc import Iterable, Sequence

import pandas as pd

from scarceseq.errors import InputError
from scarceseq.user_tables import read_columns


def unversioned(gene_ids: Iterable[str]) -> pd.Series:
    """Ensembl ids without version; a suffix behind it, such as ``_PAR_Y``, is kept."""
    return pd.Series(list(gene_ids), dtype=str).str.replace(r"\.\d+", "", n=1, regex=True)


def map_gene_ids(rows: Sequence[str], gene_id_type: str, annotation: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which row of a table is which gene of the annotation.

    Versions of Ensembl ids are ignored; symbols match in any case where one alone is meant.

    Parameters
    ----------
    rows : sequence of str
        Gene ids of the table, of type ``ensembl`` or ``symbol``.
    annotation : pandas.DataFrame
        gene_id, gene_name.

    Returns
    -------
    mapped : pandas.DataFrame
        row (position in `rows`), gene_id; no gene occurs twice.
    unmapped : pandas.DataFrame
        row, gene_id, reason: not_in_annotation, ambiguous (names several genes) or duplicate_row (the table has it
        twice).
    """
    if gene_id_type == "ensembl":
        keys, names = unversioned(rows), unversioned(annotation["gene_id"])
    elif gene_id_type == "symbol":
        keys, names = pd.Series(list(rows), dtype=str), annotation["gene_name"].reset_index(drop=True)
    else:
        raise InputError(f"gene_id_type '{gene_id_type}' is none of ensembl, symbol")
    ambiguous = set(names[names.duplicated()])
    annotated = pd.Series(annotation["gene_id"].to_numpy(), index=names)[~names.duplicated(keep=False).to_numpy()]

    if gene_id_type == "symbol":
        keys = _in_their_case(keys, annotated.index, ambiguous)
    reasons = pd.Series("", index=keys.index)
    reasons[~keys.isin(annotated.index)] = "not_in_annotation"
    reasons[keys.isin(ambiguous)] = "ambiguous"
    reasons[(reasons == "") & keys.duplicated(keep=False)] = "duplicate_row"
    used = reasons == ""
    mapped = pd.DataFrame({"row": keys.index[used], "gene_id": annotated.loc[keys[used]].to_numpy()})
    unmapped = pd.DataFrame({"row": keys.index, "gene_id": list(rows), "reason": reasons})[~used.to_numpy()]
    return mapped, unmapped.reset_index(drop=True)


def _in_their_case(keys: pd.Series, symbols: pd.Index, ambiguous: set[str]) -> pd.Series:
    """Symbols as the annotation writes them, where one that it lacks differs from a single one of it by case alone."""
    upper = pd.Series(symbols, index=symbols.str.upper())
    upper = upper[~upper.index.duplicated(keep=False)].drop([name.upper() for name in ambiguous], errors="ignore")
    lacking = ~keys.isin(symbols) & ~keys.isin(ambiguous)
    meant = keys[lacking].str.upper().map(upper)
    meant = meant[meant.notna() & ~meant.isin(keys) & ~meant.duplicated(keep=False)]
    return keys.mask(keys.index.isin(meant.index), meant)


def translated(rows: Sequence[str], table: str, id_column: str, ensembl_column: str) -> list[str]:
    """Ensembl id of each other id by two columns of a table; an id that has none, or several, stays as it is.

    Versions (of RefSeq) are ignored where the table has none.
    """
    pairs = read_columns(table, [id_column, ensembl_column]).set_axis(["id", "ensembl"], axis=1)
    pairs = pairs[(pairs["id"] != "") & (pairs["ensembl"] != "")]
    pairs = pairs.assign(ensembl=unversioned(pairs["ensembl"]).to_numpy()).drop_duplicates()
    one = pairs[~pairs["id"].duplicated(keep=False)].set_index("id")["ensembl"].to_dict()
    return [one.get(row) or one.get(row.partition(".")[0]) or row for row in rows]
