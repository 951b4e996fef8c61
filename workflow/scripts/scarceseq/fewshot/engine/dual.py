"""Linear layers over the genes in dual form: exact, and free of genes-wide work in every step.

The gradient of such a layer's weights is ``d.T @ X``, where d, (samples, units), is the gradient of its pre-activations
and X, (samples, genes), the support. All that SGD with momentum ever subtracts from the weights is therefore
``rate * (A.T @ X)`` with coefficients A, (samples, units), and the pre-activations are ``X @ W0.T - K A``, where
``K[i, j, h] = sum over genes of rate[h, g] X[i, g] X[j, g]`` is computed once. The bias is the weight of a gene that is
1 in every sample. Exact for rates of any shape; a pull to the start must be one number for the layer, for then it
multiplies A.
"""

from dataclasses import dataclass
from typing import Any

import torch

try:  # faster where it is there, not needed
    from scarceseq.fewshot.engine.compiled import contract as compiled_contract
except ImportError:
    compiled_contract = None  # type: ignore[assignment]

GENES_AT_ONCE = 4096
UNITS_AT_ONCE = 64


def pays(samples: int, steps: int, rate: torch.Tensor | float) -> bool:
    """Whether the dual form of a layer takes less arithmetic than its plain form."""
    return not _is_elementwise(rate) or samples < 2 * steps


@dataclass(frozen=True)
class GeneLayer:
    """One such layer and the support; all arrays may have leading dimensions, one for each fit."""

    weight: torch.Tensor  # (units, genes), at the start
    bias: torch.Tensor | None  # (units,), likewise
    rate: Any  # multiplier of the weight's updates: a number, or of its shape, or (1, genes)
    bias_rate: Any  # a number, or of the shape of the bias
    expression: torch.Tensor  # (samples, genes)
    start: torch.Tensor  # (samples, units), pre-activations at the start
    gram: torch.Tensor  # (samples, samples, units), or (samples, samples) where rates are the same for all units

    @property
    def same_for_all_units(self) -> bool:
        """Whether one matrix between samples serves all units."""
        return self.gram.ndim == self.start.ndim

    def preactivation(self, coefficient: torch.Tensor) -> torch.Tensor:
        """Pre-activations of the support, (samples, units), for these coefficients."""
        if self.same_for_all_units:
            return self.start - self.gram @ coefficient
        if compiled_contract is not None and coefficient.ndim == 2 and coefficient.device.type == "cpu":
            return compiled_contract(self.gram, coefficient, self.start)
        return self.start - (self.gram * coefficient.unsqueeze(-3)).sum(dim=-2)

    def start_of(self, query: torch.Tensor) -> torch.Tensor:
        """Pre-activations at the start of other samples, (queries, units), of their expression, (queries, genes)."""
        return _preactivation(query, self.weight, self.bias)

    def of_query(self, coefficient: torch.Tensor, query: torch.Tensor, query_start: torch.Tensor) -> torch.Tensor:
        """Pre-activations of other samples, (queries, units), by their start and coefficients, (samples, units)."""
        if self.same_for_all_units:
            return query_start - (query * self.rate @ self.expression.mT + self.bias_rate) @ coefficient
        result = query_start - self._of_bias(coefficient).unsqueeze(-2)
        each = _is_elementwise(self.rate)
        for first in range(0, coefficient.shape[-1], UNITS_AT_ONCE):
            units = slice(first, first + UNITS_AT_ONCE)
            change = coefficient[..., units].mT @ self.expression
            result[..., units] -= query @ change.mul_(self.rate[..., units, :] if each else self.rate).mT
        return result

    def final(self, coefficient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Weight, (units, genes), and bias, (units,)."""
        weight = self.weight - self.rate * (coefficient.mT @ self.expression)
        return weight, None if self.bias is None else self.bias - self._of_bias(coefficient)

    def _of_bias(self, coefficient: torch.Tensor) -> torch.Tensor:
        return self.bias_rate * coefficient.sum(dim=-2)


def gene_layer(
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    rate: torch.Tensor | float,
    bias_rate: torch.Tensor | float,
    expression: torch.Tensor,
) -> GeneLayer:
    """`GeneLayer` of a weight, (units, genes), a bias or None, their rates, and a support, (samples, genes)."""
    start = _preactivation(expression, weight, bias)
    return GeneLayer(weight, bias, rate, bias_rate, expression, start, _gram(rate, bias_rate, expression))


def _preactivation(expression: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    product = expression @ weight.mT
    return product if bias is None else product.add_(bias.unsqueeze(-2))


def _gram(rate: Any, bias_rate: Any, expression: torch.Tensor) -> torch.Tensor:
    if not _is_elementwise(rate):
        gram = (expression * rate) @ expression.mT
        return gram.unsqueeze(-1) + bias_rate[..., None, None, :] if _is_tensor(bias_rate) else gram + bias_rate
    samples, genes = expression.shape[-2:]
    one, two = torch.triu_indices(samples, samples, device=expression.device)
    pairs: Any = 0.0
    for first in range(0, genes, GENES_AT_ONCE):
        block = expression[..., first : first + GENES_AT_ONCE]
        products = torch.cat([block[..., i : i + 1, :] * block[..., i:, :] for i in range(samples)], dim=-2)
        pairs = pairs + _product(products, rate[..., first : first + GENES_AT_ONCE])
    place = torch.empty(samples, samples, dtype=torch.int64, device=expression.device)
    place[one, two] = place[two, one] = torch.arange(len(one), device=expression.device)
    pairs = pairs + (bias_rate.unsqueeze(-2) if _is_tensor(bias_rate) else bias_rate)
    return pairs[..., place, :].contiguous()


def _product(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    """``one @ two.mT``; in single precision on a CPU by oneDNN, twice as fast on some as what torch takes by itself."""
    on_cpu = one.ndim == 2 and one.dtype == torch.float32 and one.device.type == "cpu"
    if on_cpu and torch.backends.mkldnn.is_available():
        return torch.ops.aten.mkldnn_linear(one.to_mkldnn(), two.to_mkldnn()).to_dense()
    return one @ two.mT


def _is_tensor(rate: object) -> bool:
    return isinstance(rate, torch.Tensor)


def _is_elementwise(rate: Any) -> bool:
    return _is_tensor(rate) and rate.shape[-2] > 1
