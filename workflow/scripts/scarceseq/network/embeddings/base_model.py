"""Embedding from a base model: the vector that pre-training learned for each gene.

The model is trained on the studies that its own split gives it, so no test study of that split can shape the embedding.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from scarceseq.files import read_table

INPUTS = ("genes",)
KEYS = ("base",)


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> pd.DataFrame:
    """The vectors, from the rule `embed_genes`, by gene symbol; of several genes of one symbol the mean."""
    table = read_table(inputs["genes"])
    named = table["gene_name"].fillna("") != ""
    vectors = table.filter(regex="^component_")
    return vectors[named].groupby(pd.Index(table["gene_name"][named].astype(str))).mean()
