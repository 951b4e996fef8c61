"""Sets of genes, as a GMT file lists them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.user_text import open_text
from scarceseq.user_values import trim


def read_gene_sets(path: str | Path) -> pd.DataFrame:
    """Gene-term pairs of a GMT file (name, description, genes...; a ``GENE,weight`` field counts as GENE)."""
    pairs = []
    with open_text(path) as handle:
        for index, line in enumerate(handle, start=1):
            fields = [trim(field) for field in line.split("\t")]
            if not any(fields) or line.startswith("#"):
                continue
            if len(fields) < 3:
                raise InputError(
                    f"{path}, line {index}: a GMT line needs a name, a description and genes, separated by tabs"
                )
            pairs.extend((trim(field.split(",")[0]), fields[0]) for field in fields[2:] if field)
    return pd.DataFrame(pairs, columns=["gene", "term"])


def rows_of_sets(
    pairs: pd.DataFrame, names: "Sequence[str] | pd.Series", least: int, most: int
) -> dict[str, np.ndarray]:
    """Rows of the genes of each set with `least` to `most` genes among some names, in any case; by name of the set.

    `pairs` are from `read_gene_sets`; of a name of a row that is there twice the first counts.
    """
    upper = pd.Series(names).astype(str).str.upper()
    places = pd.Series(np.arange(len(upper)), index=upper)
    places = places[~places.index.duplicated()]
    present = pairs.assign(place=pairs["gene"].str.upper().map(places)).dropna().drop_duplicates(["term", "place"])
    members = {str(term): np.sort(rows.to_numpy(int)) for term, rows in present.groupby("term")["place"]}
    return {term: rows for term, rows in members.items() if least <= len(rows) <= most}
