"""Layers of an ensemble: parameters have a leading dimension for its members, which never mix."""

import warnings
from typing import Any

import numpy as np
import torch
from torch import nn

EPSILON = 1e-5  # of torch's batch normalisation
MOMENTUM = 0.1
MAX_NORM = 1.0


def drawn(generators: list[torch.Generator], *shape: int, scale: float = 1.0, uniform: bool = False) -> nn.Parameter:
    """Parameter of shape (members, *shape): normal with deviation `scale`, or uniform in [-scale, scale]."""
    kind = torch.rand if uniform else torch.randn
    draws = torch.stack([kind(shape, generator=generator) for generator in generators])
    return nn.Parameter(scale * (2 * draws - 1 if uniform else draws))


class Linear(nn.Module):
    """Affine map of the last dimension, initialised as `torch.nn.Linear`, with a generator for each member."""

    def __init__(self, generators: list[torch.Generator], inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = drawn(generators, outputs, inputs, scale=inputs**-0.5, uniform=True)
        self.bias = drawn(generators, outputs, scale=inputs**-0.5, uniform=True)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(members, rows, inputs) to (members, rows, outputs)."""
        return torch.baddbmm(self.bias[:, None], values, self.weight.mT)


class BatchNorm(nn.Module):
    """Batch normalisation of rows that stand for several equal rows each (Ioffe & Szegedy 2015)."""

    running_mean: torch.Tensor
    running_variance: torch.Tensor

    def __init__(self, members: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(members, width))
        self.bias = nn.Parameter(torch.zeros(members, width))
        self.register_buffer("running_mean", torch.zeros(members, width))
        self.register_buffer("running_variance", torch.ones(members, width))

    def forward(self, values: torch.Tensor, share: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Normalise (members, rows, width).

        Parameters
        ----------
        values : torch.Tensor, shape (members, rows, width)
        share : torch.Tensor, shape (members, rows)
            What part of all rows each row stands for, summing to 1; all 0 for a member that has no rows.
        count : torch.Tensor, shape (members,)
            How many rows there would be without sharing: the running variance is corrected for it, as in torch.
        """
        if self.training:
            mean = (share[:, None] @ values)[:, 0]
            variance = (share[:, None] @ (values - mean[:, None]).square())[:, 0]
            self.follow(mean, variance, count, share.sum(dim=1) > 0)
        else:
            mean, variance = self.running_mean, self.running_variance
        scale, shift = self.affine(mean, variance)
        return values * scale[:, None] + shift[:, None]

    def affine(self, mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scale and shift, each (members, width), that normalise by these statistics."""
        scale = self.weight * torch.rsqrt(variance + EPSILON)
        return scale, self.bias - mean * scale

    @torch.no_grad()
    def follow(
        self, mean: torch.Tensor, variance: torch.Tensor, count: torch.Tensor, seen: torch.Tensor | None = None
    ) -> None:
        """Move the running statistics towards those of a batch, for members that have seen one."""
        momentum = MOMENTUM if seen is None else MOMENTUM * seen[:, None].to(mean.dtype)
        unbiased = variance * (count / (count - 1).clamp(min=1))[:, None]
        self.running_mean += momentum * (mean - self.running_mean)
        self.running_variance += momentum * (unbiased - self.running_variance)


class TwoLayers(nn.Module):
    """Linear, normalisation, ReLU, linear, normalisation: the multi-layer perceptron of GEARS."""

    def __init__(self, generators: list[torch.Generator], inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.first, self.first_norm = Linear(generators, inputs, hidden), BatchNorm(len(generators), hidden)
        self.second, self.second_norm = Linear(generators, hidden, outputs), BatchNorm(len(generators), outputs)

    def forward(self, values: torch.Tensor, share: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """(members, rows, inputs) to (members, rows, outputs); `share` and `count` as in `BatchNorm.forward`."""
        hidden = torch.relu(self.first_norm(self.first(values), share, count))
        return self.second_norm(self.second(hidden), share, count)


@torch.no_grad()
def limit_norm_(embedding: torch.Tensor) -> None:
    """Scale rows longer than `MAX_NORM` down to it, in place, as an embedding with ``max_norm`` does at each use."""
    norm = embedding.norm(dim=-1, keepdim=True)
    embedding.mul_(torch.where(norm > MAX_NORM, MAX_NORM / (norm + 1e-7), torch.ones_like(norm)))


class Propagation(nn.Module):
    """One step along a graph, D^(-1/2) (W + I) D^(-1/2), D the in-degrees (Kipf & Welling 2017; Wu et al. 2019).

    Parameters
    ----------
    source, target : array of int, shape (edges,)
        Self pairs must not be among them.
    weight : array of float, shape (edges,)
    degree : array of float, shape (nodes,), optional
        In-degrees with self loops, where the edges are a part of a larger graph's.

    The matrix has double precision until the module is converted.
    """

    def __init__(
        self, source: np.ndarray, target: np.ndarray, weight: np.ndarray, nodes: int, degree: np.ndarray | None = None
    ) -> None:
        super().__init__()
        loops = torch.arange(nodes)
        tails = torch.cat([torch.as_tensor(source, dtype=torch.long), loops])
        heads = torch.cat([torch.as_tensor(target, dtype=torch.long), loops])
        weights = torch.cat([torch.as_tensor(weight, dtype=torch.float64), torch.ones(nodes, dtype=torch.float64)])
        if degree is None:
            degrees = torch.zeros(nodes, dtype=torch.float64).index_add(0, heads, weights)
        else:
            degrees = torch.as_tensor(degree, dtype=torch.float64)
        weights = weights * torch.rsqrt(degrees[tails] * degrees[heads])
        for name, row, column in (("matrix", heads, tails), ("transposed", tails, heads)):
            place = torch.stack([row, column])
            entries = torch.sparse_coo_tensor(place, weights, (nodes, nodes), check_invariants=True).coalesce()
            with warnings.catch_warnings(action="ignore"):  # torch calls its compressed rows a beta feature
                self.register_buffer(name, entries.to_sparse_csr(), persistent=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(members, nodes, width) to the same shape."""
        return _Propagate.apply(values, self.matrix, self.transposed)


class _Propagate(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: torch.Tensor, matrix: torch.Tensor, transposed: torch.Tensor) -> torch.Tensor:
        context.transposed = transposed
        return _multiply(matrix, values)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return _multiply(context.transposed, gradient), None, None


def _multiply(matrix: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    members, nodes, width = values.shape
    side_by_side = values.transpose(0, 1).reshape(nodes, members * width)
    return (matrix @ side_by_side).view(nodes, members, width).transpose(0, 1)
