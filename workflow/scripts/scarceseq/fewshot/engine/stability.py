"""The largest learning rate at which descent does not run away (torch only).

The Gauss-Newton curvature of the mean cross-entropy over n support samples is at most ``J J.T / (2 n)``, where J holds
the derivatives of the logits by the trained weights, each times the root of its rate: the covariance of a softmax has
no eigenvalue above 1/2. For layers over the genes in dual form J J.T comes from their Gram matrices. Gradient descent
with momentum m on a quadratic of curvature c is stable below ``2 (1 + m) / c`` (Polyak 1964). Its largest eigenvalue is
found by power iteration; too few of them give a rate that is too high by some hundredths.
"""

from collections.abc import Callable, Iterable

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from scarceseq.fewshot.engine.updates import LayerUpdate, TensorUpdate

ITERATIONS = 30
LEAST_CURVATURE = 1e-12


def largest_stable_rate(
    logits: Callable[[], torch.Tensor],
    leaves: list[torch.Tensor],
    updates: Iterable[TensorUpdate | LayerUpdate],
    momentum: float,
) -> torch.Tensor:
    """Learning rate at the border of stability, at the weights as they are; very large where nothing moves the logits.

    `logits` gives those of the support, (samples, classes); of several fits, with a leading dimension. `leaves` are
    trained weights, or pre-activations of layers in dual form, `updates` theirs, of SGD at learning rate 1. float64, a
    number, or (fits,).
    """
    updates = list(updates)
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):  # the others cannot be differentiated twice
        outputs = logits()
        direction = torch.zeros_like(outputs, requires_grad=True)
        slopes = torch.autograd.grad(outputs, leaves, direction, create_graph=True)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(outputs.shape[-2:], generator=generator, dtype=torch.float64)
    vector, largest = _unit(start.to(outputs).expand_as(outputs))[0], None
    for _ in range(ITERATIONS):
        gradients = torch.autograd.grad(outputs, leaves, vector, retain_graph=True)
        moves = [_times_rate(update, gradient) for update, gradient in zip(updates, gradients, strict=True)]
        (product,) = torch.autograd.grad(slopes, direction, moves, retain_graph=True)
        vector, largest = _unit(product)
    curvature = (largest.double() / (2 * outputs.shape[-2])).clamp_min(LEAST_CURVATURE)
    return 2 * (1 + momentum) / curvature


def _times_rate(update: TensorUpdate | LayerUpdate, gradient: torch.Tensor) -> torch.Tensor:
    """What a step against this gradient takes away, at learning rate 1."""
    if isinstance(update, LayerUpdate):
        return update.layer.start - update.layer.preactivation(gradient)
    return gradient * update.factor


def _unit(vector: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The vector of each fit without what all classes share, at length 1; and the length that it had."""
    vector = vector - vector.mean(dim=-1, keepdim=True)
    length = vector.flatten(-2).norm(dim=-1)
    return vector / length.clamp_min(torch.finfo(vector.dtype).tiny)[..., None, None], length
