"""Embedding from the bulk corpus: loadings of genes on the principal components of within-study expression.

Only studies of the pretrain and scout roles of one split are read, so no test study can shape the embedding.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sklearn.utils.extmath import randomized_svd

from scarceseq.network.kinds.corpus_coexpression import read_within_studies

INPUTS = ("training", "genes", "samples", "splits")
KEYS = ("split", "components")


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> pd.DataFrame:
    """Loadings times singular values of genes scaled to unit variance."""
    within, symbols, _ = read_within_studies(settings["split"], inputs)
    scaled = within / within.std(axis=0)
    count = min(settings["components"], min(scaled.shape) - 1)
    _, size, loadings = randomized_svd(scaled, count, random_state=0)
    columns = [f"component_{index + 1}" for index in range(count)]
    return pd.DataFrame((loadings * size[:, None]).T, index=symbols, columns=columns)
