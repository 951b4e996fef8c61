"""Low-rank adaptation: ``W = W0 + scale / rank * up @ down`` (Hu et al. 2021), as modules (torch only)."""

import copy

import torch
from torch import nn

from scarceseq.seeds import derive


class Adapted(nn.Module):
    """A linear layer, shared and not trained, plus ``scale / rank * up(down(x))``; `up` starts at zero."""

    def __init__(self, base: nn.Linear, rank: int, scale: float, seed: int) -> None:
        super().__init__()
        device, dtype = base.weight.device, base.weight.dtype
        self.base, self.factor = base, scale / rank
        self.down = nn.utils.skip_init(nn.Linear, base.in_features, rank, bias=False, device="cpu")
        self.up = nn.utils.skip_init(nn.Linear, rank, base.out_features, bias=False, device="cpu")
        generator = torch.Generator().manual_seed(seed)
        bound = base.in_features**-0.5  # as nn.Linear
        with torch.no_grad():
            self.down.weight.uniform_(-bound, bound, generator=generator)
            self.up.weight.zero_()
        self.down.to(device, dtype)
        self.up.to(device, dtype)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.base(inputs) + self.factor * self.up(self.down(inputs))


def adapted(encoder: nn.Module, rank: int, scale: float, seed: int) -> nn.Module:
    """Copy of an encoder whose linear layers are `Adapted`; their own weights are shared with the encoder.

    `seed` is of the initial `down` matrices, drawn on the CPU.
    """
    linear = {name: module for name, module in encoder.named_modules() if type(module) is nn.Linear}
    pairs = {
        id(m): Adapted(m, min(rank, *m.weight.shape), scale, derive(seed, "adapter", n)) for n, m in linear.items()
    }
    return copy.deepcopy(encoder, pairs)
