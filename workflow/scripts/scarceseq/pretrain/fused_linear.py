"""Several linear layers of the same expression, fused into one matrix product."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


class FusedLinear(torch.autograd.Function):
    """Products with several weights, (width, genes) each, without biases; differentiable in the weights alone.

    The processor multiplies one wide matrix faster than several narrow ones, and the weights' gradient faster from a
    transposed copy of the small factor than by its transposed layout.
    """

    @staticmethod
    def forward(ctx: Any, expression: torch.Tensor, *weights: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """One tensor, (samples, width), for each of the weights; computed in the format of the expression."""
        stacked = expression.new_empty((sum(map(len, weights)), expression.shape[1]))
        ctx.widths = [len(weight) for weight in weights]
        for rows, weight in zip(stacked.split(ctx.widths), weights, strict=True):
            rows.copy_(weight)
        ctx.save_for_backward(expression)
        return (expression @ stacked.T).split(ctx.widths, dim=1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Of the weights, in the format of the expression; autograd turns them into that of the weights."""
        (expression,) = ctx.saved_tensors
        stacked = torch.cat(gradients, dim=1).T.contiguous() @ expression
        return None, *stacked.split(ctx.widths)


def fused_linear(expression: torch.Tensor, layers: Sequence[nn.Linear]) -> list[torch.Tensor]:
    """What each of the linear layers makes of `expression`, (samples, genes), which itself gets no gradient."""
    products = FusedLinear.apply(expression, *(layer.weight for layer in layers))
    return [product + layer.bias for product, layer in zip(products, layers, strict=True)]
