"""Reconstruct the expression of masked genes: squared error of z-scores."""

from typing import Any

import numpy as np
import torch
from torch import nn

from scarceseq.pretrain.masking import as_factors, cached_rows, count_rows
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.samples import LabelledMatrix
from scarceseq.pretrain.task import View

READS = "reconstruction"


class MaskedError(torch.autograd.Function):
    """Squared error of a sample's masked genes, their mean, in as few passes over all entries as will do.

    Entries have the format of the prediction, sums float32 at least.
    """

    @staticmethod
    def forward(ctx: Any, prediction: torch.Tensor, expression: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Error of each sample, (samples,), of (samples, genes); 0 where nothing is masked."""
        dtype = torch.promote_types(prediction.dtype, torch.float32)
        difference, norm = torch.empty_like(prediction), prediction.new_empty(len(prediction), dtype=dtype)
        for rows in cached_rows(prediction):
            expected = expression[rows].to(prediction.dtype)
            hidden = as_factors(mask[rows], prediction.dtype)
            hidden_difference = torch.sub(prediction[rows], expected, out=difference[rows]).mul_(hidden)
            torch.linalg.vector_norm(hidden_difference, dim=1, dtype=dtype, out=norm[rows])
        count = count_rows(mask).to(dtype)
        ctx.save_for_backward(difference, count)
        return norm.square() / count.squeeze(1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """Towards the prediction alone."""
        difference, count = ctx.saved_tensors
        return difference * (2 * gradient.unsqueeze(1) / count).to(difference.dtype), None, None


class MaskedExpression(nn.Module):
    """Squared error of a sample's masked genes, their mean; 0 without a mask."""

    def forward(self, view: View) -> torch.Tensor:
        """Loss of each sample, (samples,)."""
        return MaskedError.apply(view.reconstruction, view.expression, view.mask)

    def scores(self, view: View) -> list[tuple[str, str, float]]:
        """Nothing of its own: the evaluation has this error of every model that reconstructs, beside its rivals'."""
        return []


def masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of each sample's values under the mask, (samples,), of (samples, genes); 0 where nothing is masked."""
    dtype = torch.promote_types(values.dtype, torch.float32)
    return (values * as_factors(mask, values.dtype)).sum(dim=1, dtype=dtype) / count_rows(mask).to(dtype).squeeze(1)


def build(base: Base, matrix: LabelledMatrix, rows: np.ndarray, options: dict[str, Any]) -> MaskedExpression:
    """The objective has nothing to fit and no options of its own."""
    return MaskedExpression()
