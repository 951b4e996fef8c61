"""Multilayer perceptron with LayerNorm: the default architecture."""

import itertools

from torch import nn


class MaskedAutoencoder(nn.Module):
    """Encoder and decoder of z-scored expression.

    Parameters
    ----------
    genes : int
        Number of genes G.
    hidden_widths : list of int
        Widths of the encoder's hidden layers, from the genes inward.
    width : int
        Width of the embedding.
    decoder_widths : list of int
        Widths of the decoder's hidden layers, from the embedding outward; empty for a linear decoder.
    """

    def __init__(self, genes, hidden_widths, width, decoder_widths):
        super().__init__()
        self.width = width
        self.encoder = nn.Sequential(*_hidden_layers([genes, *hidden_widths]))
        self.encoder.append(nn.Linear([genes, *hidden_widths][-1], width))
        self.encoder.append(nn.LayerNorm(width))
        self.decoder = nn.Sequential(*_hidden_layers([width, *decoder_widths]))
        self.decoder.append(nn.Linear([width, *decoder_widths][-1], genes))

    def embed(self, expression):
        """Embedding, (samples, width), of z-scored expression, (samples, genes)."""
        return self.encoder(expression)

    def forward(self, expression):
        """Reconstruction, (samples, genes), of z-scored expression of the same shape."""
        return self.decoder(self.encoder(expression))


def _hidden_layers(widths):
    layers = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU()]
    return layers


def build(genes, settings):
    """Network for `genes` genes; reads the keys ``hidden_widths``, ``width`` and ``decoder_widths``."""
    return MaskedAutoencoder(genes, settings["hidden_widths"], settings["width"], settings["decoder_widths"])
