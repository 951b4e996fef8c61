"""From the gene ids that people use to those of the annotation."""

from collections.abc import Iterable, Sequence

import pandas as pd

from scarceseq.errors import InputError


def unversioned(gene_ids: Iterable[str]) -> pd.Series:
    """Ensembl ids without version; a suffix behind it, such as ``_PAR_Y``, is kept."""
    return pd.Series(list(gene_ids), dtype=str).str.replace(r"\.\d+", "", n=1, regex=True)


def map_gene_ids(rows: Sequence[str], gene_id_type: str, annotation: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which row of a table is which gene of the annotation.

    Parameters
    ----------
    rows : sequence of str
        Gene ids of the table.
    gene_id_type : {'ensembl', 'symbol'}
        Versions of Ensembl ids are ignored.
    annotation : pandas.DataFrame
        gene_id, gene_name.

    Returns
    -------
    mapped : pandas.DataFrame
        row (position in `rows`), gene_id; no gene occurs twice.
    unmapped : pandas.DataFrame
        gene_id, reason: not_in_annotation, ambiguous (names several genes) or duplicate_row (the table has it twice).
    """
    if gene_id_type == "ensembl":
        keys, names = unversioned(rows), unversioned(annotation["gene_id"])
    elif gene_id_type == "symbol":
        keys, names = pd.Series(list(rows), dtype=str), annotation["gene_name"].reset_index(drop=True)
    else:
        raise InputError(f"gene_id_type '{gene_id_type}' is none of ensembl, symbol")
    ambiguous = set(names[names.duplicated()])
    annotated = pd.Series(annotation["gene_id"].to_numpy(), index=names)[~names.duplicated(keep=False).to_numpy()]

    reasons = pd.Series("", index=keys.index)
    reasons[~keys.isin(annotated.index)] = "not_in_annotation"
    reasons[keys.isin(ambiguous)] = "ambiguous"
    reasons[(reasons == "") & keys.duplicated(keep=False)] = "duplicate_row"
    used = reasons == ""
    mapped = pd.DataFrame({"row": keys.index[used], "gene_id": annotated.loc[keys[used]].to_numpy()})
    unmapped = pd.DataFrame({"gene_id": list(rows), "reason": reasons})[~used.to_numpy()]
    return mapped, unmapped.reset_index(drop=True)
