"""What predictors may know before any perturbation is measured."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.network.graph import Graph


@dataclass(frozen=True)
class Prior:
    """Names and prior knowledge that `prepare` of a predictor is given; what it does not need is None.

    Attributes
    ----------
    perturbations : numpy.ndarray of str, shape (perturbations,)
        Perturbed genes of the screen, the test perturbations included.
    columns : numpy.ndarray of str, shape (columns,)
        Measured genes, or names of coordinates.
    graph : scarceseq.network.graph.Graph or None
    embedding : pandas.DataFrame or None
        Genes (index) x components.
    kernels : sequence of scarceseq.network.graph.Graph or pandas.DataFrame
        All graphs and embeddings, for predictors that use several.
    cells : scarceseq.perturbation.training_cells.Cells or None
        Single cells of all perturbations; `fit` may look at those of control and of its training perturbations alone.
    contexts : numpy.ndarray, shape (perturbations, columns), or None
        Effects of the same perturbations in other contexts, see `scarceseq.perturbation.contexts`.
    settings : dict
        The predictor's own section of the config.
    """

    perturbations: np.ndarray
    columns: np.ndarray
    graph: Any = None
    embedding: pd.DataFrame | None = None
    kernels: tuple[Graph | pd.DataFrame, ...] = ()
    cells: Any = None
    contexts: np.ndarray | None = None
    settings: dict = field(default_factory=dict)
