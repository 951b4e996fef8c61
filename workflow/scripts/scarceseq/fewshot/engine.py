"""Fine-tuning of one classifier on one support set: a plain full-batch SGD loop (torch only)."""

from dataclasses import dataclass

import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy


@dataclass(frozen=True)
class Triple:
    """What distinguishes one fine-tuning method from another, by parameter name of the classifier.

    Attributes
    ----------
    start : dict of str to Tensor
        Initial weights.
    rate : dict of str to (Tensor or float)
        Multiplier of each update; the float 0.0 leaves a tensor out of training.
    precision : dict of str to (Tensor or float)
        precision / 2 * (weight - start)**2 is added to the loss; the float 0.0 adds nothing.
    """

    start: dict
    rate: dict
    precision: dict


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: learning rate, momentum and number of full-batch steps."""

    learning_rate: float
    momentum: float
    steps: int


def make_triple(classifier, rate, precision):
    """Triple of a classifier's weights and the encoder's rates and precisions; the head has rate 1 and no pull."""
    start = {name: weight.detach() for name, weight in classifier.named_parameters()}
    rates = {name: rate.get(name, 1.0) for name in start}
    return Triple(start, rates, {name: precision.get(name, 0.0) for name in start})


def fit(classifier, triple, expression, classes, schedule):
    """Weights after the last step of gradient descent with momentum on the support set.

    The update of a weight is ``-learning_rate * rate * velocity`` with ``velocity = momentum * velocity + gradient``:
    the rate multiplies the update.

    Parameters
    ----------
    classifier : Classifier
        Gives the form of the network; its own weights are neither used nor changed.
    triple : Triple
    expression : Tensor, (samples, genes)
        z-scores of the support.
    classes : Tensor of int64, (samples,)
    schedule : Schedule

    Returns
    -------
    dict of str to Tensor
        All parameters of the classifier; those that are not trained are the start's.
    """
    trained = [name for name, rate in triple.rate.items() if isinstance(rate, torch.Tensor) or rate != 0.0]
    frozen = {name: weight for name, weight in triple.start.items() if name not in trained}
    moving = {name: triple.start[name].clone().requires_grad_() for name in trained}
    velocity = {name: torch.zeros_like(weight) for name, weight in moving.items()}
    network, inputs, still = classifier, expression, frozen
    if all(name.startswith("head.") for name in trained):  # the embedding never changes: compute it once
        network, still = _HeadAlone(classifier.head), {}
        inputs = embed(classifier, triple.start, expression)
    for _ in range(schedule.steps):
        loss = cross_entropy(functional_call(network, moving | still, (inputs,)), classes)
        gradients = torch.autograd.grad(loss, list(moving.values()))
        with torch.no_grad():
            for name, gradient in zip(moving, gradients, strict=True):
                _step(moving[name], gradient, velocity[name], name, triple, schedule)
    return frozen | {name: weight.detach() for name, weight in moving.items()}


class _HeadAlone(torch.nn.Module):
    """The head under its name within the classifier."""

    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, embedding):
        return self.head(embedding)


def _step(weight, gradient, velocity, name, triple, schedule):
    """One update of one tensor, in place; `gradient` is used up."""
    precision, rate = triple.precision[name], triple.rate[name]
    if isinstance(precision, torch.Tensor) or precision != 0.0:
        gradient = gradient + precision * (weight - triple.start[name])
    torch.add(gradient, velocity, alpha=schedule.momentum, out=velocity)
    if isinstance(rate, torch.Tensor):
        weight.sub_(torch.mul(velocity, rate, out=gradient), alpha=schedule.learning_rate)
    else:
        weight.sub_(velocity, alpha=schedule.learning_rate * rate)


@torch.no_grad()
def embed(classifier, weights, expression):
    """Embedding, (samples, width), under the given weights."""
    encoder = {name.removeprefix("encoder."): w for name, w in weights.items() if name.startswith("encoder.")}
    return functional_call(classifier.encoder, encoder, (expression,))


@torch.no_grad()
def predict(classifier, weights, expression):
    """Class probabilities, float64, (samples, classes), of z-scored expression under the given weights."""
    return functional_call(classifier, weights, (expression,)).double().softmax(dim=1)
