"""Linear layers over the genes in dual form: exact, and free of genes-wide work in every step.

The gradient of such a layer's weights is ``d.T @ X``, where d, (samples, units), is the gradient of its pre-activations
and X, (samples, genes), the support. All that SGD with momentum ever subtracts from the weights is therefore
``rate * (A.T @ X)`` with coefficients A, (samples, units), and the pre-activations are ``X @ W0.T - K A``, where
``K[i, j, h] = sum over genes of rate[h, g] X[i, g] X[j, g]`` is computed once. Exact for rates of any shape; a pull to
the start must be one number for the layer, for then it multiplies A.
"""

import copy
from dataclasses import dataclass

import torch
from torch import nn

try:  # faster where it is there, not needed
    from scarceseq.fewshot.compiled import contract as compiled_contract
except ImportError:
    compiled_contract = None

GENES_AT_ONCE = 4096
UNITS_AT_ONCE = 64


class Given(nn.Module):
    """Stands for a linear layer over the genes: its output is the given value plus the layer's bias."""

    def __init__(self, bias):
        super().__init__()
        self.value = nn.Parameter(torch.empty(0))
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone())

    def forward(self, expression):
        return self.value if self.bias is None else self.value + self.bias


def gene_layers(classifier, genes):
    """Names of the linear layers whose only input is the expression itself.

    Parameters
    ----------
    classifier : Classifier
    genes : int
    """
    parameter = next(classifier.parameters())
    probe = torch.zeros(1, genes, device=parameter.device, dtype=parameter.dtype)
    inputs = {}
    names = {module: name for name, module in classifier.named_modules() if type(module) is nn.Linear}
    handles = [
        module.register_forward_pre_hook(lambda module, given: inputs.setdefault(names[module], []).append(given[0]))
        for module in names
    ]
    with torch.no_grad():
        classifier(probe)
    for handle in handles:
        handle.remove()
    return [name for name, given in inputs.items() if len(given) == 1 and given[0] is probe]


def without_gene_layers(classifier, layers):
    """Copy of a classifier in which a `Given` stands for each of the named layers; their weights are not copied."""
    linear = {name: classifier.get_submodule(name) for name in layers}
    return copy.deepcopy(classifier, {id(layer): Given(layer.bias) for layer in linear.values()})


def pays(samples, steps, rate):
    """Whether the dual form of a layer takes less arithmetic than its plain form."""
    return not _is_elementwise(rate) or samples < 2 * steps


@dataclass(frozen=True)
class GeneLayer:
    """One such layer and the support; all arrays may have leading dimensions, one for each fit.

    Attributes
    ----------
    weight : Tensor, (units, genes)
        At the start.
    rate : Tensor or float
        Multiplier of the updates: a number, or of shape (units, genes), (units, 1) or (1, genes).
    expression : Tensor, (samples, genes)
    start : Tensor, (samples, units)
        Pre-activations, without bias, at the start.
    gram : Tensor, (samples, samples, units), or (samples, samples) where the rate is the same for all units
        Without a rate that depends on the unit alone.
    """

    weight: torch.Tensor
    rate: torch.Tensor | float
    expression: torch.Tensor
    start: torch.Tensor
    gram: torch.Tensor

    def preactivation(self, coefficient):
        """Pre-activations of the support, (samples, units), for these coefficients."""
        if self.gram.ndim == coefficient.ndim:
            return self.start - self.gram @ (coefficient * self._unit_rate())
        if compiled_contract is not None and coefficient.ndim == 2 and coefficient.device.type == "cpu":
            return compiled_contract(self.gram, coefficient, self.start)
        return self.start - (self.gram * coefficient.unsqueeze(-3)).sum(dim=-2)

    def of_query(self, coefficient, query, query_start):
        """Pre-activations of other samples, (queries, units).

        Parameters
        ----------
        coefficient : Tensor, (samples, units)
        query : Tensor, (queries, genes)
        query_start : Tensor, (queries, units)
            Their pre-activations, without bias, at the start.
        """
        if self.gram.ndim == coefficient.ndim:
            weighted = query * self.rate if _varies_by_gene(self.rate) else query
            return query_start - weighted @ self.expression.mT @ (coefficient * self._unit_rate())
        result = torch.empty_like(query_start)
        for first in range(0, coefficient.shape[-1], UNITS_AT_ONCE):
            units = slice(first, first + UNITS_AT_ONCE)
            moved = (coefficient[..., units].mT @ self.expression).mul_(self.rate[..., units, :])
            result[..., units] = query_start[..., units] - query @ moved.mT
        return result

    def final_weight(self, coefficient):
        """Weights, (units, genes)."""
        return self.weight - self.rate * (coefficient.mT @ self.expression)

    def _unit_rate(self):
        return 1.0 if _varies_by_gene(self.rate) else _of_units(self.rate)


def gene_layer(weight, rate, expression):
    """`GeneLayer` of a weight, (units, genes), its rate and a support, (samples, genes)."""
    return GeneLayer(weight, rate, expression, expression @ weight.mT, _gram(rate, expression))


def _gram(rate, expression):
    if not _varies_by_gene(rate):
        return expression @ expression.mT
    if not _is_elementwise(rate):
        return (expression * rate) @ expression.mT
    samples, genes = expression.shape[-2:]
    one, two = torch.triu_indices(samples, samples, device=expression.device)
    pairs = 0.0
    for first in range(0, genes, GENES_AT_ONCE):
        part = expression[..., first : first + GENES_AT_ONCE]
        pairs = pairs + (part[..., one, :] * part[..., two, :]) @ rate[..., first : first + GENES_AT_ONCE].mT
    place = torch.empty(samples, samples, dtype=torch.int64, device=expression.device)
    place[one, two] = place[two, one] = torch.arange(len(one), device=expression.device)
    return pairs[..., place, :].contiguous()


def _varies_by_gene(rate):
    return isinstance(rate, torch.Tensor) and rate.ndim > 1 and rate.shape[-1] > 1


def _is_elementwise(rate):
    return _varies_by_gene(rate) and rate.shape[-2] > 1


def _of_units(rate):
    """A rate that is a number, or one number per unit, so that it multiplies (samples, units)."""
    return rate.mT if isinstance(rate, torch.Tensor) and rate.ndim > 1 else rate
