"""Settings of the report."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ReportSettings:
    """The report."""

    embedding: Literal["pca", "umap"] = "pca"
    """How the samples of the corpus are shown: on two principal components, or also by UMAP, which takes half a
    minute more."""
