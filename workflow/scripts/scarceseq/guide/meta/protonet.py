"""ProtoNet: an encoder in which held-out samples lie near their class mean (Snell et al. 2017, arXiv 1703.05175)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from scarceseq.guide.inner import encoder_weights
from scarceseq.guide.scout_data import ScoutSamples
from scarceseq.guide.settings import MetaSettings

MAKES = "encoder"


def learn(network: Any, tasks: Sequence[ScoutSamples], settings: MetaSettings, seed: int) -> dict[str, torch.Tensor]:
    """Encoder weights by name, trained episode by episode by gradient descent."""
    weights = encoder_weights(network)
    for _ in range(settings.passes):
        for task in tasks:
            weights = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
            loss = prototype_loss(network.encoder, weights, task)
            gradients = torch.autograd.grad(loss, list(weights.values()))
            weights = {
                name: (weight - settings.inner_learning_rate * gradient).detach()
                for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
            }
    return weights


def prototype_loss(encoder: nn.Module, weights: dict[str, torch.Tensor], task: ScoutSamples) -> torch.Tensor:
    """Cross-entropy of softmax(-squared distance to the class means of the task's training samples)."""
    named = {name.removeprefix("encoder."): weight for name, weight in weights.items()}
    train, held_out = (
        functional_call(encoder, named, (rows,)) for rows in (task.train_expression, task.held_out_expression)
    )
    classes = int(task.train_labels.max()) + 1
    means = torch.stack([train[task.train_labels == label].mean(dim=0) for label in range(classes)])
    return cross_entropy(-torch.cdist(held_out, means).square(), task.held_out_labels)
