"""What a predictor of perturbations is."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from scarceseq.perturbation.prior import Prior


class Predictor(Protocol):
    """Entry of `scarceseq.perturbation.predictors`; the constants are literals that the planner reads from the source.

    Whatever is tuned is tuned within the training perturbations. An entry that draws random numbers says
    ``RANDOM = True``, and its `fit` takes a further argument ``seed``, by default 0. An ensemble also has
    ``ensemble(model, rows)``, the prediction of each member, (members, perturbations, genes), and
    ``hidden_states(model, rows)``, what it knows of each perturbation, (perturbations, width). One that knows how
    far its predictions may be off has ``deviation(model, rows)``, standard deviations, (perturbations, genes).
    """

    @property
    def NEEDS(self) -> tuple[str, ...]:  # noqa: N802
        """What of the `Prior` it uses besides names: ``graph``, ``embedding``, ``kernels``, ``cells``, ``contexts``.

        One that needs ``doubles`` runs on screens that have some.
        """

    @property
    def KINDS(self) -> tuple[str, ...]:  # noqa: N802
        """Kinds of screen it is defined for."""

    def prepare(self, prior: Prior, /) -> Any:
        """What depends on prior knowledge alone, computed once per screen."""

    def fit(self, delta: np.ndarray, rows: Sequence[int], features: Any, /) -> Any:
        """Learn from the training perturbations.

        Parameters
        ----------
        delta : array, (training perturbations, genes or coordinates)
            Their differences to control.
        rows : sequence of int
            Their positions in `Prior.perturbations`.
        features
            From `prepare`.
        """

    def predict(self, model: Any, rows: Any, /) -> np.ndarray:
        """Predicted differences of the perturbations `rows`, (perturbations, genes or coordinates)."""
