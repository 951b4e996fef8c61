"""Multilayer perceptron with LayerNorm beside a linear path: the default architecture."""

import itertools
from typing import Any

import torch
from torch import nn

from scarceseq.pretrain.fused_linear import fused_linear
from scarceseq.pretrain.masking import hide


class Encoder(nn.Module):
    """Sum of a linear map and of hidden layers with LayerNorm and ReLU.

    log-expression is close to linear in few factors, which LayerNorm and ReLU alone reach slowly; the hidden layers
    start at zero and add what the linear path misses. The embedding itself is not normalised: its length carries how
    far a sample is from the mean. `hidden_widths` go from the genes inward and may be empty; `form` names what few-shot
    fitting has a compiled loop for.
    """

    def __init__(self, genes: int, hidden_widths: list[int], width: int) -> None:
        super().__init__()
        self.form = "linear path beside one hidden layer" if len(hidden_widths) == 1 else None
        self.linear = nn.Linear(genes, width)
        self.hidden = nn.Sequential(*_hidden_layers([genes, *hidden_widths])) if hidden_widths else None
        if hidden_widths:
            self.output = nn.Linear(hidden_widths[-1], width, bias=False)
            nn.init.zeros_(self.output.weight)

    def forward(self, expression: torch.Tensor) -> torch.Tensor:
        """Embedding, (samples, width), of z-scored expression, (samples, genes)."""
        if self.hidden is None:
            return self.linear(expression)
        return self.linear(expression) + self.output(self.hidden(expression))

    def train_on(self, expression: torch.Tensor) -> torch.Tensor:
        """The same as `forward`, faster where the expression itself needs no gradient."""
        if self.hidden is None or expression.requires_grad:
            return self(expression)
        linear, hidden = fused_linear(expression, [self.linear, self.hidden[0]])
        return linear + self.output(self.hidden[1:](hidden))


class MaskedAutoencoder(nn.Module):
    """Encoder and decoder of z-scored expression.

    `hidden_widths` are the encoder's, from the genes inward; `decoder_widths` go from the embedding, of `width`,
    outward, and may be empty.
    """

    def __init__(self, genes: int, hidden_widths: list[int], width: int, decoder_widths: list[int]) -> None:
        super().__init__()
        self.width = width
        self.encoder = Encoder(genes, hidden_widths, width)
        self.decoder = nn.Sequential(*_hidden_layers([width, *decoder_widths]))
        self.decoder.append(nn.Linear([width, *decoder_widths][-1], genes))

    def embed(self, expression: torch.Tensor) -> torch.Tensor:
        """Embedding, (samples, width), of z-scored expression, (samples, genes)."""
        return self.encoder(expression)

    def gene_vectors(self) -> torch.Tensor:
        """What a standard deviation of each gene adds to the embedding on the linear path, (genes, width)."""
        return self.encoder.linear.weight.T

    def outputs(
        self, expression: torch.Tensor, mask: torch.Tensor, reconstruct: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Embedding and reconstruction, if asked for, of z-scores of which the genes under `mask` are not seen."""
        embedding = self.encoder.train_on(hide(expression, mask))
        return embedding, self.decoder(embedding) if reconstruct else None

    def forward(self, expression: torch.Tensor, mask: torch.Tensor) -> torch.Tensor | None:
        """Reconstruction, (samples, genes), of `outputs`."""
        return self.outputs(expression, mask)[1]


def _hidden_layers(widths: list[int]) -> list[nn.Module]:
    layers = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU()]
    return layers


def build(mean: torch.Tensor, scale: torch.Tensor, settings: dict[str, Any]) -> MaskedAutoencoder:
    """Network for the genes of `mean`; reads the keys ``hidden_widths``, ``width`` and ``decoder_widths``."""
    return MaskedAutoencoder(len(mean), settings["hidden_widths"], settings["width"], settings["decoder_widths"])
