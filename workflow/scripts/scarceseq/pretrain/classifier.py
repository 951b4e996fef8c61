"""A classifier on top of the encoder: what scouts and few-shot methods train."""

import copy
from typing import Any

import torch
from torch import nn


class Classifier(nn.Module):
    """Encoder and linear head; parameters are named ``encoder.*`` and ``head.*``."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, expression: torch.Tensor) -> torch.Tensor:
        """Logits, (samples, classes), of z-scored expression, (samples, genes)."""
        return self.head(self.encoder(expression))


def make_classifier(base_network: Any, classes: int, seed: int) -> Classifier:
    """Classifier that starts from a deep copy of the base's encoder; `base_network` is left as it is.

    The head's initial weights are uniform within 1 / sqrt(width), as of ``nn.Linear``, and drawn from `seed` on the CPU
    so that they are the same on every device.
    """
    parameter = next(base_network.encoder.parameters())
    head = nn.utils.skip_init(nn.Linear, base_network.width, classes, device="cpu")
    generator = torch.Generator().manual_seed(seed)
    bound = base_network.width**-0.5
    with torch.no_grad():
        head.weight.uniform_(-bound, bound, generator=generator)
        head.bias.uniform_(-bound, bound, generator=generator)
    encoder = copy.deepcopy(base_network.encoder).requires_grad_(True)
    return Classifier(encoder, head.to(parameter.device, parameter.dtype))
