"""What the rates and pulls of a gradient-trained method may depend on (torch only)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class RateInputs:
    """One base model, one guide and, for methods that look at it, one support."""

    base: Any  # Base
    classifier: Any  # Classifier, at the start
    guide: Any  # dict of str to Tensor, by parameter name of the encoder, or None
    seed: int  # of what is drawn once for all episodes
    reference: Any = None  # z-scores of samples of the pretrain and scout studies, (samples, genes)
    support: Any = None  # Tensor, (samples, genes)
    classes: Any = None  # Tensor of int64, (samples,)

    @property
    def encoder(self) -> dict[str, torch.Tensor]:
        """Encoder parameters by name within the classifier (``encoder.*``)."""
        named = self.classifier.named_parameters()
        return {name: weight.detach() for name, weight in named if name.startswith("encoder.")}

    @property
    def genes(self) -> int:
        """Number of genes."""
        return len(self.base.gene_ids)


def layers(classifier: "nn.Module", genes: int) -> list[list[str]]:
    """Names of the encoder's parameters within the classifier (``encoder.*``) layer by layer, from the genes inward.

    Modules count in the order in which they are first called. All that read the expression itself are the first layer;
    a module without a matrix (a norm) belongs to the layer before it. Parameters of modules that are never called are
    put into the first layer.
    """
    parameter = next(classifier.parameters())
    probe = torch.zeros(1, genes, device=parameter.device, dtype=parameter.dtype)
    names = {module: name for name, module in classifier.encoder.named_modules()}
    direct = {module: dict(module.named_parameters(recurse=False)) for module in names}
    called = {}

    def note(module: "nn.Module", given: Any) -> None:
        called.setdefault(module, given[0] is probe)

    handles = [module.register_forward_pre_hook(note) for module in names if direct[module]]
    with torch.no_grad():
        classifier.encoder(probe)
    for handle in handles:
        handle.remove()
    by_layer: list[list[str]] = [[]]
    for module, reads_genes in called.items():
        if any(weight.ndim > 1 for weight in direct[module].values()) and not reads_genes and by_layer[0]:
            by_layer.append([])
        layer = by_layer[0] if reads_genes else by_layer[-1]
        layer.extend(".".join(filter(None, ["encoder", names[module], name])) for name in direct[module])
    listed = {name for layer in by_layer for name in layer}
    every = [f"encoder.{name}" for name, _ in classifier.encoder.named_parameters()]
    by_layer[0].extend(name for name in every if name not in listed)
    return by_layer
