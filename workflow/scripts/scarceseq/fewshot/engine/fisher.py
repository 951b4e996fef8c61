"""Diagonal Fisher information: mean squared gradient of the log-likelihood, weight by weight (torch only)."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import log_softmax

from scarceseq.pretrain.gene_layers import gene_layers, without_gene_layers
from scarceseq.seeds import derive

if TYPE_CHECKING:
    from scarceseq.fewshot.engine.rate_inputs import RateInputs


MASK_SHARE, SOURCE_SAMPLES = 0.3, 256


def support_fisher(setting: "RateInputs", expected: bool) -> dict[str, torch.Tensor]:
    """Of the class given the expression, over the support, at the start, by parameter name of the encoder.

    Expected over the classes as the model predicts them, or else taken at the labels (empirical Fisher).
    """
    classifier, support = setting.classifier, setting.support
    layers = gene_layers(classifier, setting.genes)
    network = without_gene_layers(classifier, layers)
    leaves = {name: leaf for name, leaf in network.named_parameters() if name.startswith("encoder.")}
    with torch.no_grad():
        starts = {f"{layer}.value": classifier.get_submodule(layer)(support) for layer in layers}
    squares = {name: torch.zeros_like(starts.get(name, leaf)) for name, leaf in leaves.items()}
    for row, label in enumerate(setting.classes.tolist()):
        for name, start in starts.items():
            leaves[name].data = start[row : row + 1]
        logs = log_softmax(network(support[row : row + 1])[0], dim=0)
        weights = logs.detach().exp() if expected else torch.eye(len(logs), dtype=logs.dtype)[label]
        for outcome, weight in enumerate(weights.tolist()):
            if weight == 0:
                continue
            gradients = torch.autograd.grad(logs[outcome], list(leaves.values()), retain_graph=True)
            for (name, total), gradient in zip(squares.items(), gradients, strict=True):
                rows = slice(row, row + 1) if name in starts else slice(None)
                total[rows].addcmul_(gradient, gradient, value=weight)
    for layer in layers:  # the gradient of one sample's weights is an outer product, and so is its square
        units = squares.pop(f"{layer}.value")
        squares[f"{layer}.weight"], squares[f"{layer}.bias"] = units.mT @ support.square(), units.sum(dim=0)
    return {name: squares[name] / len(support) for name in setting.encoder}


def source_fisher(setting: "RateInputs") -> dict[str, torch.Tensor]:
    """Of pre-training's own task, masked reconstruction, over at most 256 samples of the reference, at the base.

    One mask is drawn per sample. The loss of a sample is the mean squared error of its masked genes.
    """
    network, genes = setting.base.network, setting.genes
    generator = np.random.default_rng(derive(setting.seed, "fisher"))
    count = min(SOURCE_SAMPLES, len(setting.reference))
    chosen = np.sort(generator.choice(len(setting.reference), count, replace=False))
    device, dtype = setting.base.mean.device, next(network.parameters()).dtype
    leaves = {f"encoder.{name}": leaf.requires_grad_() for name, leaf in network.encoder.named_parameters()}
    squares = {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
    for row in chosen:
        expression = torch.from_numpy(setting.reference[row : row + 1]).to(device, dtype)
        mask = torch.from_numpy(generator.random((1, genes)) < MASK_SHARE).to(device)
        loss = (network(expression, mask) - expression)[mask].square().mean()
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        for total, gradient in zip(squares.values(), gradients, strict=True):
            total.addcmul_(gradient, gradient)
    return {name: total / count for name, total in squares.items()}
