"""The inner loop that meta-learners share: plain gradient descent on one task, as a function of the weights."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from scarceseq.errors import InputError
from scarceseq.guide.scout_data import ScoutSamples
from scarceseq.guide.settings import MetaSettings
from scarceseq.pretrain.classifier import Classifier, make_classifier
from scarceseq.seeds import derive


def task_classifier(network: nn.Module, task: ScoutSamples, seed: int) -> tuple[Classifier, dict[str, torch.Tensor]]:
    """Classifier for a task's classes, with a head of the task's own, and its head's weights by name."""
    classes = int(task.train_labels.max()) + 1
    classifier = make_classifier(network, classes, derive(seed, "head", task.scout))
    return classifier, {f"head.{name}": weight.detach().clone() for name, weight in classifier.head.named_parameters()}


def encoder_weights(network: nn.Module) -> dict[str, torch.Tensor]:
    """Copies of the encoder's weights, by their name within a classifier."""
    return {f"encoder.{name}": weight.detach().clone() for name, weight in network.encoder.named_parameters()}


def loss_of(
    classifier: Classifier, weights: dict[str, torch.Tensor], expression: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy under the given weights."""
    return cross_entropy(functional_call(classifier, weights, (expression,)), labels)


def descend(
    classifier: Classifier,
    weights: dict[str, torch.Tensor],
    rates: Mapping[str, torch.Tensor | float],
    task: ScoutSamples,
    steps: int,
    differentiable: bool = False,
) -> tuple[dict[str, torch.Tensor], list[dict[str, torch.Tensor]]]:
    """Weights after some full-batch steps on the task's training samples, and the gradients of each step.

    The classifier gives the form of the network, `weights` where the descent starts, `rates` the learning rate of each.
    If `differentiable`, the result can be differentiated by the rates, and by the weights if these require gradients.
    """
    gradients = []
    for _ in range(steps):
        if not differentiable:
            weights = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
        loss = loss_of(classifier, weights, task.train_expression, task.train_labels)
        of_step = torch.autograd.grad(loss, list(weights.values()), create_graph=differentiable)
        gradients.append(dict(zip(weights, of_step, strict=True)))
        weights = {name: weight - rates[name] * gradients[-1][name] for name, weight in weights.items()}
    if not differentiable:
        weights = {name: weight.detach() for name, weight in weights.items()}
    return weights, gradients


def check_learned(learned: dict[str, torch.Tensor], name: str, settings: MetaSettings) -> None:
    """Raise InputError if what the learner of this name has learned has values that are not finite."""
    for key, values in learned.items():
        if not bool(values.isfinite().all()):
            rate = settings.inner_learning_rate
            raise InputError(
                f"config key guide.meta.inner_learning_rate: {name} diverged at {rate:g} ({key} is not finite); a "
                "stable rate falls with the number of genes, try a tenth"
            )
