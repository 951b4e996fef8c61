"""What the network is trained for: the losses of a batch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Batch:
    """Attributes
    ----------
    samples : numpy.ndarray of int, (samples,)
        Rows of the training matrix.
    expression : torch.Tensor, (samples, genes)
        z-scores.
    mask : torch.Tensor of bool, (samples, genes)
        Genes that the network must not see.
    noise : torch.Tensor, (samples, genes), or float
        Added to what the network sees.
    """

    samples: np.ndarray
    expression: torch.Tensor
    mask: torch.Tensor
    noise: torch.Tensor | float = 0.0


class Task(nn.Module):
    """The network together with what it is trained for; its parameters are all that training changes.

    Parameters
    ----------
    network : torch.nn.Module
        Of an entry of ``pretrain/architectures``.
    """

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, batch):
        """Losses by name; ``loss`` is what is minimised.

        Each is a mean over the batch's samples, so that the mean over equal parts of a batch is that of the batch.
        """
        prediction = self.network(batch.expression + batch.noise, batch.mask)
        return {"loss": masked_error(prediction, batch.expression, batch.mask)}


def masked_error(prediction, expression, mask):
    """Squared error of the masked genes: their mean in each sample, and its mean over samples; 0 without a mask."""
    squares = (prediction - expression).masked_fill(~mask, 0.0).square().sum(dim=1)
    return (squares / mask.sum(dim=1).clamp_min(1)).mean()
