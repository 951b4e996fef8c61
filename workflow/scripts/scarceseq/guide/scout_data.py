"""What a scout is given, and what it has become in the end."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class ScoutSamples:
    """One scout's samples.

    Attributes
    ----------
    train_expression, held_out_expression : torch.Tensor, (samples, genes)
        z-scores.
    train_labels, held_out_labels : torch.Tensor of int64, (samples,)
    """

    scout: int
    train_expression: torch.Tensor
    train_labels: torch.Tensor
    held_out_expression: torch.Tensor
    held_out_labels: torch.Tensor


@dataclass(frozen=True)
class ScoutResult:
    """A scout after training.

    Attributes
    ----------
    start : dict of str to torch.Tensor, or None
        Weights before training, by parameter name.
    final : dict of str to torch.Tensor
        Weights after it; without a `start`, how far they moved.
    gradient : dict of str to torch.Tensor
        Of the first step.
    """

    scout: int
    train_accuracy: float
    held_out_accuracy: float
    start: dict | None
    final: dict
    gradient: dict
