"""Settings of the report."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ReportSettings:
    """The report."""

    embedding: Literal["pca", "umap"] = "pca"
    """How the corpus' samples are shown: on two principal components, or by UMAP too, which takes half a minute
    more."""
