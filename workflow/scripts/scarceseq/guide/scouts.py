"""Scouts: classifiers that all start from one base and each learn one small task."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from scarceseq.guide.displacement import Displacement
from scarceseq.guide.scout_data import ScoutResult, ScoutSamples
from scarceseq.guide.settings import SchemeSettings
from scarceseq.guide.stacked import stacks, train_stacked
from scarceseq.pretrain.classifier import make_classifier
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

PROGRESS_EVERY_SECONDS = 3.0
OPTIMISERS = {
    "sgd": lambda weights, settings: torch.optim.SGD(weights, lr=settings.learning_rate, momentum=settings.momentum),
    "adamw": lambda weights, settings: torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=0.0),
}


@dataclass(frozen=True)
class TrainedScout:
    """A classifier after training, its weights before, and the gradient of its first step, by parameter name."""

    classifier: torch.nn.Module
    start: dict
    gradient: dict


def train_scout(base_network: nn.Module, task: ScoutSamples, settings: SchemeSettings, seed: int) -> TrainedScout:
    """Train one scout from a copy of the base for a fixed number of steps; `seed` is that of the head and the batches.

    Reads ``optimiser``, ``steps``, ``batch_samples``, ``learning_rate``, ``momentum``.
    """
    classes = int(task.train_labels.max()) + 1
    classifier = make_classifier(base_network, classes, derive(seed, "head")).train()
    start = {f"encoder.{name}": weight.detach() for name, weight in base_network.encoder.named_parameters()}
    start |= {f"head.{name}": weight.detach().clone() for name, weight in classifier.head.named_parameters()}
    optimiser = OPTIMISERS[settings.optimiser](classifier.parameters(), settings)
    generator = torch.Generator().manual_seed(derive(seed, "batches"))
    samples, gradient = len(task.train_labels), {}
    for _ in range(settings.steps):
        expression, labels = task.train_expression, task.train_labels
        if settings.batch_samples < samples:
            batch = torch.randperm(samples, generator=generator)[: settings.batch_samples].to(labels.device)
            expression, labels = expression[batch], labels[batch]
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(classifier(expression), labels).backward()
        if not gradient:  # the optimiser reads it, and the next step makes a new one
            gradient = {name: weight.grad for name, weight in classifier.named_parameters()}
        optimiser.step()
    return TrainedScout(classifier.eval(), start, gradient)


def train_each(
    base_network: nn.Module, tasks: Iterable[ScoutSamples], settings: SchemeSettings, seed: int
) -> Iterator[ScoutResult]:
    """Train scouts one after another; yields a `ScoutResult` for each."""
    for task in tasks:
        scout = train_scout(base_network, task, settings, derive(seed, "scout", task.scout))
        classifier = scout.classifier
        train = accuracy(classifier, task.train_expression, task.train_labels)
        held_out = accuracy(classifier, task.held_out_expression, task.held_out_labels)
        yield ScoutResult(task.scout, train, held_out, scout.start, dict(classifier.named_parameters()), scout.gradient)


def train_block(
    base_network: nn.Module,
    tasks: Iterable[ScoutSamples],
    settings: SchemeSettings,
    seed: int,
    stacked: bool | None = None,
) -> tuple[Displacement, list[dict[str, Any]]]:
    """Train scouts and sum up how far those that succeeded have moved.

    A scout fails, and is left out of the sums, if its held-out accuracy is below ``minimum_held_out_accuracy`` or a
    weight is not a finite number. Its seed derives from `seed` and the scout's number, whatever block it is in. Many
    scouts are trained at once if `stacked` (see `scarceseq.guide.stacked`); by default on a GPU, where that pays.

    The outcomes have ``scout``, ``train_accuracy``, ``held_out_accuracy``, ``kept``.
    """
    encoder = {f"encoder.{name}": weight for name, weight in base_network.encoder.named_parameters()}
    if stacked is None:
        stacked = next(iter(encoder.values())).device.type == "cuda" and stacks(base_network, settings)
    displacement = Displacement(encoder, settings.displacement)
    outcomes, last = [], time.monotonic()
    for scout in (train_stacked if stacked else train_each)(base_network, tasks, settings, seed):
        finite = all(bool(weight.isfinite().all()) for weight in scout.final.values())
        kept = finite and scout.held_out_accuracy >= settings.minimum_held_out_accuracy
        if kept:
            counted = scout.final if settings.head == "scouts" else encoder
            displacement.add(scout.start, {name: scout.final[name] for name in counted}, scout.gradient)
        accuracies = {"train_accuracy": scout.train_accuracy, "held_out_accuracy": scout.held_out_accuracy}
        outcomes.append({"scout": scout.scout} | accuracies | {"kept": kept})
        if time.monotonic() - last > PROGRESS_EVERY_SECONDS:
            last = time.monotonic()
            logger.info(
                "scout %d: held-out accuracy %.3f; %d done", scout.scout, scout.held_out_accuracy, len(outcomes)
            )
    logger.info("%d scouts trained, %d kept", len(outcomes), sum(outcome["kept"] for outcome in outcomes))
    return displacement, outcomes


@torch.no_grad()
def accuracy(classifier: nn.Module, expression: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of samples whose highest logit is that of their label."""
    return (classifier(expression).argmax(dim=1) == labels).double().mean().item()
