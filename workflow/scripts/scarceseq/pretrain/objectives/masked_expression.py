"""Reconstruct the expression of masked genes: squared error of z-scores."""

import torch
from torch import nn

READS = "reconstruction"


class MaskedExpression(nn.Module):
    """Squared error of a sample's masked genes, their mean; 0 without a mask."""

    def forward(self, view):
        """Loss of each sample, (samples,)."""
        return masked_mean((view.reconstruction - view.expression).square(), view.mask)

    def scores(self, view):
        """Nothing of its own: the evaluation has this error of every model that reconstructs, beside its rivals'."""
        return []


def masked_mean(values, mask):
    """Mean of each sample's values under the mask, (samples,), of (samples, genes); 0 where nothing is masked."""
    hidden = mask.view(torch.uint8).to(values.dtype)  # products are vectorised, choices by a mask are not
    count = torch.linalg.vector_norm(hidden, ord=1, dim=1, dtype=torch.float32)
    return (values * hidden).sum(dim=1, dtype=torch.float32) / count.clamp_min(1)


def build(base, matrix, rows, options):
    """The objective has nothing to fit and no options of its own."""
    return MaskedExpression()
