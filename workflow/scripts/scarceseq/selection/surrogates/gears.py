"""GEARS, trained anew on the cells of what is measured: features are its hidden states, profiles its predictions.

The kernel is linear in the hidden states, the mean of those of an ensemble's members; on it lies the Gaussian process
whose covariance selectors look at, as Huang et al. (2024) do with features of the last layer. A gene that the graph
does not have has the state 0: nothing is learned from it, and it is taken last by those that ask what is uncertain.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scarceseq.perturbation.predictors import gears
from scarceseq.selection.learned import learned_by_ridge

if TYPE_CHECKING:
    from scarceseq.selection.learned import Learned

NEEDS = ("graph", "cells")

prepare = gears.prepare


def learn(
    features: Any, genes: Sequence[str], pool: Any, measured: np.ndarray, delta: np.ndarray, seed: int
) -> "Learned":
    """Network on control and the measured perturbations; the noise is that of ridge regression on its hidden states."""
    model = gears.fit(delta, pool[measured], features, seed)
    states = gears.hidden_states(model, pool)
    return learned_by_ridge(np.asarray(genes)[pool], states @ states.T, measured, delta, gears.predict(model, pool))
