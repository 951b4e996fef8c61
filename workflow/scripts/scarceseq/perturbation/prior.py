"""What predictors may know before any perturbation is measured."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.network.graph import Graph


@dataclass(frozen=True)
class Prior:
    """Names and prior knowledge that `prepare` of a predictor is given; what it does not need is None.

    Of the cells, which are of all perturbations, `fit` may look at control and its training perturbations alone.
    """

    perturbations: np.ndarray  # (perturbations,) of str, perturbed genes of the screen, those of test sets included
    columns: np.ndarray  # (columns,) of str, measured genes, or names of coordinates
    graph: Any = None  # scarceseq.network.graph.Graph
    embedding: pd.DataFrame | None = None  # genes (index) x components
    kernels: tuple[Graph | pd.DataFrame, ...] = ()  # all graphs and embeddings, for predictors that use several
    cells: Any = None  # scarceseq.perturbation.training_cells.Cells
    contexts: np.ndarray | None = None  # (perturbations, columns), effects in other contexts
    settings: dict = field(default_factory=dict)  # the predictor's section of the config
