"""The decoder shared by all genes, differentiated by hand: most of the cost of a step is here.

For the rows r and genes g of a batch, with weights w_r / genes that sum to 1:

    a = relu(base_g + shift_r)                 what is known of gene g under perturbation r
    y = relu(norm_1(W_1 a))
    out_rg = <norm_2(W_2 y), v_g>              v: the gene's own weights

The arrays a and y would be as large as all else together. They are computed in blocks of genes that fit the processor's
cache, and again in the backward pass; only W_2 y is kept. The statistics of norm_1 follow from the covariance of a, so
that it folds into W_1. Biases before a normalisation cancel and are left to the caller.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch

from scarceseq.perturbation.gears.layers import EPSILON

# Members x rows x genes of a block.
CELLS_OF_BLOCK = {"cpu": 4096, "cuda": 2**20}


class Decoder(torch.autograd.Function):
    """Output of the decoder and the statistics of both normalisations, for training.

    Parameters of `apply`
    ---------------------
    base : torch.Tensor, shape (members, kinds, genes, hidden)
        Two kinds: row 0 uses the first, all others the second. One kind: all rows use it.
    shift : torch.Tensor, shape (members, rows, hidden)
    share : torch.Tensor, shape (members, rows)
    first, second : torch.Tensor, shape (members, wide, hidden), (members, hidden, wide)
    scale_1, offset_1, scale_2, offset_2 : torch.Tensor
        Weights and biases of the normalisations, (members, wide) and (members, hidden).
    vectors : torch.Tensor, shape (members, genes, hidden)

    Returns
    -------
    out : torch.Tensor, shape (members, rows, genes)
    mean_1, variance_1, mean_2, variance_2 : torch.Tensor
        Of W_1 a and W_2 y, without gradient.
    """

    @staticmethod
    def forward(
        context: Any,
        base: torch.Tensor,
        shift: torch.Tensor,
        share: torch.Tensor,
        first: torch.Tensor,
        second: torch.Tensor,
        scale_1: torch.Tensor,
        offset_1: torch.Tensor,
        scale_2: torch.Tensor,
        offset_2: torch.Tensor,
        vectors: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        members, rows, hidden = shift.shape
        genes = base.shape[2]
        weight, work = share / genes, Workspace(base, shift, first.shape[1])
        root = weight.sqrt()[:, :, None, None]
        gram, mean = base.new_zeros(members, hidden, hidden), base.new_zeros(members, hidden)
        for block in work.blocks:
            inputs = work.inputs(block)
            mean += (weight[:, None] @ inputs.sum(dim=2))[:, 0]
            flat = inputs.mul_(root).flatten(1, 2)
            gram.baddbmm_(flat.mT, flat)
        folded, folded_offset, mean_1, variance_1 = fold(first, scale_1, offset_1, mean, gram)
        z, mean_2 = [], base.new_zeros(members, hidden)
        for block in work.blocks:
            wide = work.hidden_layer(work.inputs(block), folded, folded_offset)
            z.append((wide @ second.mT).view(members, rows, -1, hidden))
            mean_2 += (weight[:, None] @ z[-1].sum(dim=2))[:, 0]
        variance_2 = torch.zeros_like(mean_2)
        for z_block in z:
            z_block -= mean_2[:, None, None]
            variance_2 += (weight[:, None] @ torch.square(z_block, out=work.like(z_block)).sum(dim=2))[:, 0]
        inverse = torch.rsqrt(variance_2 + EPSILON)
        scaled = vectors * (scale_2 * inverse)[:, None]
        out = (vectors @ offset_2[:, :, None]).mT.repeat(1, rows, 1)
        for block, z_block in zip(work.blocks, z, strict=True):
            out[:, :, block] += torch.mul(z_block, scaled[:, None, block], out=work.like(z_block)).sum(dim=-1)
        saved = (base, shift, weight, first, second, scale_1, offset_1, scale_2, offset_2, vectors)
        context.save_for_backward(*saved, mean, gram, folded, folded_offset, inverse, *z)
        context.mark_non_differentiable(mean_1, variance_1, mean_2, variance_2)
        return out, mean_1, variance_1, mean_2, variance_2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, gradient: torch.Tensor, *_: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        base, shift, weight, first, second, scale_1, offset_1, scale_2, offset_2, vectors, *rest = context.saved_tensors
        mean, gram, folded, folded_offset, inverse, *z = rest
        work, each = Workspace(base, shift, first.shape[1]), weight[:, :, None, None]
        # the second normalisation; z is centred, so z * inverse is normalised
        along = torch.empty_like(vectors)
        for block, z_block in zip(work.blocks, z, strict=True):
            along[:, block] = torch.mul(z_block, gradient[:, :, block, None], out=work.like(z_block)).sum(dim=1)
        along *= inverse[:, None]
        over_rows = gradient.sum(dim=1)[:, :, None]
        own_gradient = along * scale_2[:, None] + over_rows * offset_2[:, None]
        scale_2_gradient, offset_2_gradient = (vectors * along).sum(dim=1), (vectors * over_rows).sum(dim=1)
        per_gene = vectors * (scale_2 * inverse)[:, None]
        slope = (scale_2_gradient * scale_2 * inverse**2)[:, None, None]
        level = (offset_2_gradient * scale_2 * inverse)[:, None, None]
        second_gradient, folded_gradient = torch.zeros_like(second), torch.zeros_like(folded)
        folded_offset_gradient = torch.zeros_like(folded_offset)
        for block, z_block in zip(work.blocks, z, strict=True):
            inputs = work.inputs(block)
            wide = work.hidden_layer(inputs, folded, folded_offset)
            of_z = torch.mul(gradient[:, :, block, None], per_gene[:, None, block], out=work.like(z_block))
            of_z -= z_block.mul_(slope).add_(level).mul_(each)
            of_z = of_z.flatten(1, 2)
            second_gradient.baddbmm_(of_z.mT, wide)
            of_wide = where_positive(torch.bmm(of_z, second, out=work.wide(of_z)), wide)
            folded_gradient.baddbmm_(of_wide.mT, inputs.flatten(1, 2))
            folded_offset_gradient += of_wide.sum(dim=1)
            torch.bmm(of_wide, folded, out=z_block.flatten(1, 2))  # this block's z is not needed again
        # the first normalisation, by way of the statistics of its inputs
        with torch.enable_grad():
            leaves = [tensor.detach().requires_grad_() for tensor in (first, scale_1, offset_1, mean, gram)]
            gradients = torch.autograd.grad(fold(*leaves)[:2], leaves, (folded_gradient, folded_offset_gradient))
        first_gradient, scale_1_gradient, offset_1_gradient, of_mean, of_gram = gradients
        of_gram = of_gram + of_gram.mT
        base_gradient, shift_gradient = torch.zeros_like(base), torch.zeros_like(shift)
        alone = base.shape[1] - 1  # rows with a kind of their own
        for block, of_inputs in zip(work.blocks, z, strict=True):
            inputs = work.inputs(block)
            through = torch.bmm(inputs.flatten(1, 2), of_gram, out=work.like(inputs).flatten(1, 2)).view_as(inputs)
            of_inputs += through.add_(of_mean[:, None, None]).mul_(each)
            where_positive(of_inputs, inputs)
            torch.sum(of_inputs[:, alone:], dim=1, out=base_gradient[:, -1, block])
            if alone:
                base_gradient[:, 0, block] = of_inputs[:, 0]
            shift_gradient += of_inputs.sum(dim=2)
        of_norms = (scale_1_gradient, offset_1_gradient, scale_2_gradient, offset_2_gradient)
        return base_gradient, shift_gradient, None, first_gradient, second_gradient, *of_norms, own_gradient


class Workspace:
    """Buffers that every block of genes uses again, and what is computed in them."""

    def __init__(self, base: torch.Tensor, shift: torch.Tensor, width: int) -> None:
        self.base, self.shift, self.width = base, shift, width
        members, rows, hidden = shift.shape
        genes = base.shape[2]
        step = max(CELLS_OF_BLOCK[shift.device.type] // (members * rows), 16)
        self.blocks = [slice(start, min(start + step, genes)) for start in range(0, genes, step)]
        largest = members * rows * min(step, genes)
        self.narrow_buffers = [shift.new_empty(largest * hidden) for _ in range(2)]
        self.wide_buffers = [shift.new_empty(largest * width) for _ in range(2)]

    def inputs(self, block: slice) -> torch.Tensor:
        """relu(base + shift), (members, rows, genes of the block, hidden)."""
        base = self.base[:, :, block]
        members, rows, hidden = self.shift.shape
        shape = (members, rows, base.shape[2], hidden)
        total = torch.add(base[:, -1:], self.shift[:, :, None], out=view(self.narrow_buffers[0], shape))
        if base.shape[1] == 2:
            torch.add(base[:, 0], self.shift[:, 0, None], out=total[:, 0])
        return total.relu_()

    def hidden_layer(self, inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """relu(W a + b), (members, rows x genes, wide)."""
        flat = inputs.flatten(1, 2)
        wide = view(self.wide_buffers[0], (*flat.shape[:2], self.width))
        return torch.bmm(flat, weight.mT, out=wide).add_(bias[:, None]).relu_()

    def like(self, values: torch.Tensor) -> torch.Tensor:
        """Another buffer of the shape of some values."""
        return view(self.narrow_buffers[1], values.shape)

    def wide(self, flat: torch.Tensor) -> torch.Tensor:
        """Another buffer for (members, rows x genes, wide)."""
        return view(self.wide_buffers[1], (*flat.shape[:2], self.width))


def view(buffer: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """The beginning of a flat buffer in a shape."""
    return buffer[: math.prod(shape)].view(shape)


def fold(
    first: torch.Tensor, scale: torch.Tensor, offset: torch.Tensor, mean: torch.Tensor, gram: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The first layer with its normalisation folded in, from the mean and second moments of its inputs.

    Returns
    -------
    weight : torch.Tensor, shape (members, wide, hidden)
    bias : torch.Tensor, shape (members, wide)
    mean, variance : torch.Tensor, shape (members, wide)
        Of W_1 a.
    """
    covariance = gram - mean[:, :, None] * mean[:, None]
    variance = ((first @ covariance) * first).sum(dim=-1).clamp(min=0)
    centre = (first @ mean[:, :, None])[:, :, 0]
    factor = scale * torch.rsqrt(variance + EPSILON)
    return first * factor[:, :, None], offset - factor * centre, centre, variance


def where_positive(gradient: torch.Tensor, activation: torch.Tensor) -> torch.Tensor:
    """Gradient before a ReLU, written over the gradient after it."""
    return torch.ops.aten.threshold_backward.grad_input(gradient, activation, 0, grad_input=gradient)
