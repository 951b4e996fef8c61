"""Finding a network's linear layers over the genes, and putting given values in their place."""

import copy
from collections.abc import Iterable

import torch
from torch import nn


class Given(nn.Module):
    """Stands for a linear layer over the genes: its output is the given value."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.empty(0))

    def forward(self, expression: torch.Tensor) -> torch.Tensor:
        return self.value


def gene_layers(classifier: nn.Module, genes: int) -> list[str]:
    """Names of the linear layers whose only input is the expression itself."""
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


def without_gene_layers(classifier: nn.Module, layers: Iterable[str]) -> nn.Module:
    """Copy of a classifier in which a `Given` stands for each of the named layers; their weights are not copied."""
    linear = {name: classifier.get_submodule(name) for name in layers}
    return copy.deepcopy(classifier, {id(layer): Given() for layer in linear.values()})
