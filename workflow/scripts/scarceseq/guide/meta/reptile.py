"""Reptile: a start that moves towards where each task ends (Nichol et al. 2018, arXiv 1803.02999)."""

from collections.abc import Sequence

import torch
from torch import nn

from scarceseq.guide.inner import descend, encoder_weights, task_classifier
from scarceseq.guide.scout_data import ScoutSamples
from scarceseq.guide.settings import MetaSettings

MAKES = "encoder"


def learn(
    network: nn.Module, tasks: Sequence[ScoutSamples], settings: MetaSettings, seed: int
) -> dict[str, torch.Tensor]:
    """Encoder weights by name: ``start += rate * (end of the task - start)``, task after task."""
    start = encoder_weights(network)
    for _ in range(settings.passes):
        for task in tasks:
            classifier, head = task_classifier(network, task, seed)
            rates = dict.fromkeys([*start, *head], settings.inner_learning_rate)
            end, _ = descend(classifier, start | head, rates, task, settings.inner_steps)
            for name, weight in start.items():
                weight += settings.outer_learning_rate * (end[name] - weight)
    return start
