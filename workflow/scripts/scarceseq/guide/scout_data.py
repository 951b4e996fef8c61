"""What a scout is given, and what it has become in the end."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class ScoutSamples:
    """One scout's samples: z-scores, (samples, genes), and classes, int64, (samples,)."""

    scout: int
    train_expression: torch.Tensor
    train_labels: torch.Tensor
    held_out_expression: torch.Tensor
    held_out_labels: torch.Tensor


@dataclass(frozen=True)
class ScoutResult:
    """A scout after training; weights are by parameter name."""

    scout: int
    train_accuracy: float
    held_out_accuracy: float
    start: dict | None  # weights before training, if `final` are those after it
    final: dict  # weights after training; without a start, how far they moved
    gradient: dict  # of the first step
