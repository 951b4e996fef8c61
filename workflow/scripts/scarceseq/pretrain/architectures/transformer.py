"""Transformer over gene tokens with binned expression, with the defaults of scBERT (Yang et al. 2022).

Unlike scBERT, the vector that says which gene a token is is learned instead of taken from gene2vec, masked genes are
reconstructed as z-scores instead of as bins, and the bins are of log2(TPM + 1): 0, 1, ... up to the highest, which
holds all values above it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

# Added before values are cut into bins: z-scores that are turned back are off by rounding, and 0 must stay in bin 0.
ROUNDING = 1e-4


def linear_attention(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Attention with the kernel (elu(q) + 1)(elu(k) + 1) in time linear in the tokens.

    Katharopoulos et al., Transformers are RNNs, ICML 2020, equation 5: phi(q) sum_j phi(k_j) v_j over phi(q) sum_j
    phi(k_j). All tensors are (samples, heads, tokens, width of a head).
    """
    queries, keys = functional.elu(queries) + 1, functional.elu(keys) + 1
    keys = keys / keys.shape[2]  # cancels, and keeps the sums near 1 in low precision
    weighted = keys.transpose(2, 3) @ values
    return (queries @ weighted) / (queries @ keys.sum(dim=2).unsqueeze(3))


ATTENTION: dict[str, Any] = {"linear": linear_attention, "flash": functional.scaled_dot_product_attention}
"""`flash` is softmax attention, by whatever kernel torch has for the device."""


class Block(nn.Module):
    """Self-attention, `attend`, and a feed-forward layer, each behind a LayerNorm and added to its input."""

    def __init__(
        self, width: int, heads: int, attend: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
    ) -> None:
        super().__init__()
        self.heads, self.attend = heads, attend
        self.before_attention, self.before_feed_forward = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width, bias=False)
        self.joined = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens, (samples, genes, width), after the block."""
        samples, genes, width = tokens.shape
        split = self.queries_keys_values(self.before_attention(tokens)).view(samples, genes, 3, self.heads, -1)
        attended = self.attend(*split.permute(2, 0, 3, 1, 4))
        tokens = tokens + self.joined(attended.transpose(1, 2).reshape(samples, genes, width))
        return tokens + self.feed_forward(self.before_feed_forward(tokens))


class Encoder(nn.Module):
    """From z-scores to tokens, and from the tokens to the embedding.

    The embedding is a linear map of one value per gene, a projection of the gene's token, as scBERT reads tokens out.
    `mean` and `scale`, (genes,), turn z-scores back into log2(TPM + 1), which is what is binned.
    """

    def __init__(self, mean: torch.Tensor, scale: torch.Tensor, settings: dict[str, Any]) -> None:
        super().__init__()
        genes, width = len(mean), settings["token_width"]
        self.bins = settings["expression_bins"]
        self.register_buffer("mean", mean.clone(), persistent=False)
        self.register_buffer("scale", scale.clone(), persistent=False)
        # Bins 0 to `bins`, and one for masked genes; the genes' vectors lie in columns, as in any matrix over genes.
        self.of_bin = nn.Embedding(self.bins + 2, width)
        self.of_gene = nn.Parameter(0.02 * torch.randn(width, genes))
        attend = ATTENTION[settings["attention"]]
        self.blocks = nn.Sequential(*(Block(width, settings["heads"], attend) for _ in range(settings["depth"])))
        self.norm = nn.LayerNorm(width)
        self.read_out = nn.Linear(width, 1)
        self.output = nn.Linear(genes, settings["width"])

    def tokens(self, expression: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Token of each gene, (samples, genes, token width); genes under `mask`, if given, are not seen."""
        bins = (expression * self.scale + self.mean + ROUNDING).clamp(0, self.bins).long()
        if mask is not None:
            bins = bins.masked_fill(mask, self.bins + 1)
        return self.norm(self.blocks(self.of_bin(bins) + self.of_gene.T))

    def embedding(self, tokens: torch.Tensor) -> torch.Tensor:
        """Embedding, (samples, width), of the tokens."""
        return self.output(self.read_out(tokens).squeeze(2))

    def forward(self, expression: torch.Tensor) -> torch.Tensor:
        """Embedding, (samples, width), of z-scored expression, (samples, genes)."""
        return self.embedding(self.tokens(expression, None))


class MaskedTransformer(nn.Module):
    """Encoder, and reconstruction from both the embedding and each gene's own token."""

    def __init__(self, mean: torch.Tensor, scale: torch.Tensor, settings: dict[str, Any]) -> None:
        super().__init__()
        self.width = settings["width"]
        self.encoder = Encoder(mean, scale, settings)
        self.decoder = nn.Linear(self.width, len(mean))
        self.of_token = nn.Linear(settings["token_width"], 1)

    def embed(self, expression: torch.Tensor) -> torch.Tensor:
        """Embedding, (samples, width), of z-scored expression, (samples, genes)."""
        return self.encoder(expression)

    def gene_vectors(self) -> torch.Tensor:
        """What says which gene a token is, (genes, token width)."""
        return self.encoder.of_gene.T

    def outputs(
        self, expression: torch.Tensor, mask: torch.Tensor, reconstruct: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Embedding and reconstruction, if asked for, of z-scores of which the genes under `mask` are not seen."""
        tokens = self.encoder.tokens(expression, mask)
        embedding = self.encoder.embedding(tokens)
        if not reconstruct:
            return embedding, None
        return embedding, self.decoder(embedding) + self.of_token(tokens).squeeze(2)

    def forward(self, expression: torch.Tensor, mask: torch.Tensor) -> torch.Tensor | None:
        """Reconstruction, (samples, genes), of `outputs`."""
        return self.outputs(expression, mask)[1]


def build(mean: torch.Tensor, scale: torch.Tensor, settings: dict[str, Any]) -> MaskedTransformer:
    """Network for the genes of `mean`; reads ``depth``, ``heads``, ``token_width``, ``expression_bins``, ``attention``
    and ``width``.
    """
    return MaskedTransformer(mean, scale, settings)
