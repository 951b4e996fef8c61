"""What a meta-learner is."""

from typing import Any, Protocol

import torch

from scarceseq.guide.settings import MetaSettings


class Learner(Protocol):
    """Entry of `scarceseq.guide.meta`.

    ``MAKES`` is a literal, ``rates`` or ``encoder``: what stands behind the ``@`` of guided methods, or of classifiers
    and unguided fine-tuning.
    """

    MAKES: str

    def learn(self, network: Any, tasks: list, settings: MetaSettings, seed: int) -> dict[str, torch.Tensor]:
        """Rates in [0, 1], or weights, by parameter name of the encoder (``encoder.*``), from the scouts' tasks.

        The base's network is not changed.
        """
