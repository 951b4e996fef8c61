"""Meta-SGD's rates: one for each weight, trained by what they do to held-out loss (Li et al. 2017, arXiv 1707.09835).

The start stays at the base, so that rates alone are learned, as a guide is. They begin at the inner learning rate, are
kept from falling below 0, and are divided by their largest in the end: the few-shot learning rate sets the scale.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from scarceseq.guide.inner import descend, encoder_weights, loss_of, task_classifier
from scarceseq.guide.scout_data import ScoutSamples
from scarceseq.guide.settings import MetaSettings

MAKES = "rates"


def learn(
    network: nn.Module, tasks: Sequence[ScoutSamples], settings: MetaSettings, seed: int
) -> dict[str, torch.Tensor]:
    """Rates in [0, 1] by encoder parameter name."""
    start = encoder_weights(network)
    rates = {name: torch.full_like(weight, settings.inner_learning_rate) for name, weight in start.items()}
    for _ in range(settings.passes):
        for task in tasks:
            rates = step(network, start, rates, task, settings, seed)
    largest = max(float(rate.max()) for rate in rates.values())
    return {name: rate / largest if largest > 0 else rate for name, rate in rates.items()}


def step(
    network: nn.Module,
    start: dict[str, torch.Tensor],
    rates: dict[str, torch.Tensor],
    task: ScoutSamples,
    settings: MetaSettings,
    seed: int,
) -> dict[str, torch.Tensor]:
    """Rates after one task: their gradient, scaled to their own size, through all inner steps."""
    classifier, head = task_classifier(network, task, seed)
    rates = {name: rate.detach().requires_grad_() for name, rate in rates.items()}
    weights = {name: weight.requires_grad_() for name, weight in (start | head).items()}
    of_all = rates | dict.fromkeys(head, settings.inner_learning_rate)
    end, _ = descend(classifier, weights, of_all, task, settings.inner_steps, differentiable=True)
    loss = loss_of(classifier, end, task.held_out_expression, task.held_out_labels)
    gradients = torch.autograd.grad(loss, list(rates.values()))
    total: Any = sum(gradient.square().sum() for gradient in gradients)
    norm = torch.sqrt(total)
    count = sum(gradient.numel() for gradient in gradients)
    scale = settings.outer_learning_rate * settings.inner_learning_rate * count**0.5 / norm.clamp_min(1e-12)
    return {
        name: (rate.detach() - scale * gradient).clamp_min(0)
        for (name, rate), gradient in zip(rates.items(), gradients, strict=True)
    }
