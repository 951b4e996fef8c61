"""Reconstruct the expression of masked genes: squared error of z-scores."""

from torch import nn

from scarceseq.pretrain.masking import as_factors

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
    hidden, count = as_factors(mask, values.dtype)
    return (values * hidden).sum(dim=1, dtype=count.dtype) / count.squeeze(1)


def build(base, matrix, rows, options):
    """The objective has nothing to fit and no options of its own."""
    return MaskedExpression()
