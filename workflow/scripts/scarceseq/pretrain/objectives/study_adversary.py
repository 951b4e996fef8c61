"""Unlearn the study: a classifier tells studies from the embedding, and the encoder is trained against it.

Ganin and Lempitsky, Unsupervised domain adaptation by backpropagation, ICML 2015 (gradient reversal).
"""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from scarceseq.pretrain.model import Base
from scarceseq.pretrain.samples import LabelledMatrix
from scarceseq.pretrain.task import View

READS = "embedding"


class Reversal(torch.autograd.Function):
    """The identity forwards; backwards the gradient times minus `strength`."""

    @staticmethod
    def forward(context: Any, values: torch.Tensor, strength: float) -> torch.Tensor:
        """`values` as they are."""
        context.strength = strength
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Gradient of the values; the strength has none."""
        return -context.strength * gradient, None


class StudyAdversary(nn.Module):
    """Cross-entropy of the study classifier, over the studies that are trained on; 0 for a sample of another study.

    `targets`, int64, (samples of the corpus,), counts each sample's study, -1 if it is not trained on; `strength` is
    that of the encoder's gradient relative to the classifier's.
    """

    targets: torch.Tensor

    def __init__(self, width: int, studies: int, targets: torch.Tensor, strength: float) -> None:
        super().__init__()
        self.strength = strength
        self.classifier = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, studies))
        self.register_buffer("targets", targets, persistent=False)

    def forward(self, view: View) -> torch.Tensor:
        """Loss of each sample, (samples,)."""
        logits = self.classifier(Reversal.apply(view.embedding, self.strength))
        return functional.cross_entropy(logits, self.targets[view.rows], ignore_index=-1, reduction="none")

    def scores(self, view: View) -> list[tuple[str, str, float]]:
        """Nothing: the classifier does not know held-out studies."""
        return []


def build(base: Base, matrix: LabelledMatrix, rows: np.ndarray, options: dict[str, Any]) -> StudyAdversary:
    """A linear classifier over the studies of `rows`, on the normalised embedding."""
    trained = np.unique(matrix.studies[rows])
    targets = np.full(len(matrix.studies), -1)
    targets[rows] = np.searchsorted(trained, matrix.studies[rows])
    return StudyAdversary(base.network.width, len(trained), torch.from_numpy(targets), options["strength"])
