"""ARUBA's rates: how far weights move over how steep their loss is (Khodak, Balcan, Talwalkar 2019, 1906.02717).

``rate_j = sqrt(sum_t [(w_tj - start_j)^2 / 2 + e^2 / (t+1)^p] / sum_t [sum_s g_tsj^2 + z^2 / (t+1)^p])`` over tasks t
and their steps s. The start is the base; rates are divided by their largest: the few-shot learning rate sets the scale.
"""

from collections.abc import Sequence

import torch
from torch import nn

from scarceseq.guide.inner import descend, encoder_weights, task_classifier
from scarceseq.guide.scout_data import ScoutSamples
from scarceseq.guide.settings import MetaSettings

MAKES = "rates"
SMALLEST_DISPLACEMENT, SMALLEST_GRADIENT, POWER = 1e-4, 1e-3, 1.0


def learn(
    network: nn.Module, tasks: Sequence[ScoutSamples], settings: MetaSettings, seed: int
) -> dict[str, torch.Tensor]:
    """Rates in (0, 1] by encoder parameter name."""
    start = encoder_weights(network)
    squares_of = {name: torch.zeros_like(weight, dtype=torch.float64) for name, weight in start.items()}
    steep = {name: torch.zeros_like(weight, dtype=torch.float64) for name, weight in start.items()}
    for earlier_tasks, task in enumerate(tasks):
        classifier, head = task_classifier(network, task, seed)
        same = dict.fromkeys([*start, *head], settings.inner_learning_rate)
        end, gradients = descend(classifier, start | head, same, task, settings.inner_steps)
        decay = (earlier_tasks + 1) ** -POWER
        for name, weight in start.items():
            squares_of[name] += (end[name] - weight).double().square() / 2 + SMALLEST_DISPLACEMENT**2 * decay
            steep[name] += sum(step[name].double().square() for step in gradients) + SMALLEST_GRADIENT**2 * decay
    rates = {name: (squares_of[name] / steep[name]).sqrt() for name in start}
    largest = max(float(rate.max()) for rate in rates.values())
    return {name: (rates[name] / largest).to(start[name].dtype) for name in start}
