"""Sets of genes, as a GMT file lists them."""

from pathlib import Path

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
