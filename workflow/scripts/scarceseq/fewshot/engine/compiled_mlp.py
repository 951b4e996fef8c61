"""Whole fits of an encoder with one hidden layer as one compiled loop; imported only where numba is there.

A step of a small network takes torch longer to arrange than to compute. `scarceseq.fewshot.engine.loop` finds the same
weights without this.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
import torch
from torch import nn

from scarceseq.fewshot.engine.updates import LayerUpdate, Schedule, TensorUpdate

# Parameters of a classifier on the default encoder whose layers over the genes are in dual form, in this order.
NAMES = (
    *("encoder.linear.value", "encoder.hidden.0.value", "encoder.hidden.1.weight", "encoder.hidden.1.bias"),
    *("encoder.output.weight", "head.weight", "head.bias"),
)
# Sums may be taken in any order; values that are not finite stay so.
FREE_ORDER = {"reassoc", "contract"}


# What the architecture's encoder says of itself (`form`) if its embedding is computed as `_descend` does.
FORM = "linear path beside one hidden layer"


class Layer(NamedTuple):
    """One layer over the genes in dual form; arrays are (samples, units) unless said otherwise."""

    value: np.ndarray  # pre-activations; rewritten in place
    start: np.ndarray  # pre-activations at the start
    gram: np.ndarray  # (samples, samples, 1 or units)
    coefficient: np.ndarray  # rewritten in place; empty if the layer is not trained
    kept: np.floating  # what a pull to the start leaves of a step's way; 1 without a pull


class Weights(NamedTuple):
    """One other tensor."""

    value: np.ndarray  # in its shape; rewritten in place
    start: np.ndarray  # (flat,)
    factor: np.ndarray  # (flat,), of its updates: rate times learning rate
    kept: np.floating  # as of `Layer`


class Network(NamedTuple):
    """All parameters, in the order of `NAMES`."""

    linear: Layer
    hidden: Layer
    scale: Weights
    shift: Weights
    output: Weights
    head: Weights
    bias: Weights


class Descent(NamedTuple):
    """Learning rate, momentum, the norm's epsilon, all of the weights' type; and the number of steps."""

    rate: np.floating
    momentum: np.floating
    epsilon: np.floating
    steps: int


def fits(module: nn.Module) -> bool:
    """Whether `descend` can fit this classifier: its encoder says so, and both layers over the genes are dual."""
    return tuple(dict(module.named_parameters())) == NAMES and getattr(module.encoder, "form", None) == FORM


def descend(
    module: Any,
    weights: dict[str, torch.Tensor],
    updates: dict[str, TensorUpdate | LayerUpdate],
    classes: torch.Tensor,
    schedule: Schedule,
) -> bool:
    """All steps of one fit of a classifier that `fits`, in place; what `Engine.fit` does with torch.

    `weights` have the names of `NAMES`, `updates` those of what is trained; `classes` are int64, (samples,). False if
    an update is of a kind that is not compiled; then nothing was done.
    """
    if any(isinstance(update.kept, torch.Tensor) for update in updates.values()):
        return False
    network = Network(
        *((_layer if name.endswith(".value") else _weights)(updates.get(name), weights[name]) for name in NAMES)  # type: ignore[arg-type]
    )
    scalar = network.linear.value.dtype.type
    epsilon = module.encoder.hidden[1].eps
    descent = Descent(scalar(schedule.learning_rate), scalar(schedule.momentum), scalar(epsilon), schedule.steps)
    _descend(network, classes.numpy(), descent)
    return True


def _layer(update: LayerUpdate | None, value: torch.Tensor) -> Layer:
    scalar = value.numpy().dtype.type
    if update is None:
        no_gram, no_coefficient = value.new_zeros(0, 0, 0).numpy(), value.new_zeros(0, 0).numpy()
        return Layer(value.numpy(), value.numpy(), no_gram, no_coefficient, scalar(1))
    gram = update.layer.gram if update.layer.gram.ndim == 3 else update.layer.gram.unsqueeze(-1)
    kept = scalar(1 if update.kept is None else update.kept)
    return Layer(value.numpy(), update.layer.start.numpy(), gram.contiguous().numpy(), update.coefficient.numpy(), kept)


def _weights(update: TensorUpdate | None, weight: torch.Tensor) -> Weights:
    scalar = weight.numpy().dtype.type
    factor = torch.as_tensor(0.0 if update is None else update.factor, dtype=weight.dtype).expand(weight.shape)
    kept = scalar(1 if update is None or update.kept is None else update.kept)
    return Weights(weight.numpy(), weight.flatten().clone().numpy(), factor.flatten().contiguous().numpy(), kept)


@numba.njit(cache=True)
def _descend(network: Any, classes: Any, descent: Any) -> None:
    """Forward, backward and update, step by step."""
    linear, hidden, scale, shift, output, head, bias = network
    normal, spread = np.empty_like(hidden.value), np.empty(len(hidden.value), dtype=hidden.value.dtype)
    active, embedding = np.empty_like(hidden.value), np.empty_like(linear.value)
    hidden_gradient, linear_gradient = np.empty_like(hidden.value), np.empty_like(linear.value)
    output_gradient, head_gradient = np.empty_like(output.value), np.empty_like(head.value)
    scale_gradient, shift_gradient = np.empty_like(scale.value), np.empty_like(shift.value)
    bias_gradient = np.empty_like(bias.value)
    linear_velocity, hidden_velocity = np.zeros_like(linear.value), np.zeros_like(hidden.value)
    scale_velocity, shift_velocity = np.zeros_like(scale.value), np.zeros_like(shift.value)
    output_velocity, head_velocity = np.zeros_like(output.value), np.zeros_like(head.value)
    bias_velocity = np.zeros_like(bias.value)
    for _ in range(descent.steps):
        _normalise(hidden.value, scale.value, shift.value, descent.epsilon, normal, spread, active)
        np.dot(active, output.value.T, embedding)
        embedding += linear.value
        error = np.dot(embedding, head.value.T)
        _softmax_error(error, bias.value, classes, bias_gradient)
        np.dot(error.T, embedding, head_gradient)
        np.dot(error, head.value, linear_gradient)
        np.dot(linear_gradient.T, active, output_gradient)
        np.dot(linear_gradient, output.value, hidden_gradient)
        _normalise_backward(hidden_gradient, normal, spread, active, scale.value, scale_gradient, shift_gradient)
        _move_layer(linear, linear_velocity, linear_gradient, descent)
        _move_layer(hidden, hidden_velocity, hidden_gradient, descent)
        _move(scale, scale_velocity, scale_gradient, descent)
        _move(shift, shift_velocity, shift_gradient, descent)
        _move(output, output_velocity, output_gradient, descent)
        _move(head, head_velocity, head_gradient, descent)
        _move(bias, bias_velocity, bias_gradient, descent)


@numba.njit(cache=True, fastmath=FREE_ORDER)
def _normalise(
    values: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
    epsilon: float,
    normal: np.ndarray,
    spread: np.ndarray,
    active: np.ndarray,
) -> None:
    """LayerNorm and ReLU of each row; keeps what the way back needs."""
    samples, units = values.shape
    zero, one = values.dtype.type(0), values.dtype.type(1)
    for i in range(samples):
        mean, square = zero, zero
        for h in range(units):
            mean += values[i, h]
        mean /= units
        for h in range(units):
            normal[i, h] = values[i, h] - mean
            square += normal[i, h] * normal[i, h]
        spread[i] = one / np.sqrt(square / values.dtype.type(units) + epsilon)
        for h in range(units):
            normal[i, h] *= spread[i]
            active[i, h] = max(normal[i, h] * scale[h] + shift[h], zero)


@numba.njit(cache=True, fastmath=FREE_ORDER)
def _normalise_backward(
    gradient: np.ndarray,
    normal: np.ndarray,
    spread: np.ndarray,
    active: np.ndarray,
    scale: np.ndarray,
    scale_gradient: np.ndarray,
    shift_gradient: np.ndarray,
) -> None:
    """Turn the gradient of ReLU's output into that of LayerNorm's input, in place, and that of its weights."""
    samples, units = gradient.shape
    zero, count = gradient.dtype.type(0), gradient.dtype.type(units)
    scale_gradient[:] = zero
    shift_gradient[:] = zero
    for i in range(samples):
        mean, slope = zero, zero
        for h in range(units):
            passed = gradient[i, h] if active[i, h] > zero else zero
            scale_gradient[h] += passed * normal[i, h]
            shift_gradient[h] += passed
            gradient[i, h] = passed * scale[h]
            mean += gradient[i, h]
            slope += gradient[i, h] * normal[i, h]
        mean, slope = mean / count, slope / count
        for h in range(units):
            gradient[i, h] = spread[i] * (gradient[i, h] - mean - normal[i, h] * slope)


@numba.njit(cache=True)
def _softmax_error(logits: np.ndarray, bias: np.ndarray, classes: Any, bias_gradient: np.ndarray) -> None:
    """Turn logits without their bias into the gradient of the mean cross-entropy, in place, and that of the bias."""
    samples, count = logits.shape
    bias_gradient[:] = 0
    for i in range(samples):
        for c in range(count):
            logits[i, c] += bias[c]
        most = logits[i].max()
        total = logits.dtype.type(0)
        for c in range(count):
            logits[i, c] = np.exp(logits[i, c] - most)
            total += logits[i, c]
        for c in range(count):
            logits[i, c] /= total
        logits[i, classes[i]] -= 1
        for c in range(count):
            logits[i, c] /= samples
            bias_gradient[c] += logits[i, c]


@numba.njit(cache=True)
def _move_layer(layer: Any, velocity: Any, gradient: np.ndarray, descent: Any) -> None:
    """`LayerUpdate.step`; nothing for a layer that is not trained."""
    value, start, gram, coefficient, kept = layer
    if coefficient.size == 0:
        return
    samples, units = value.shape
    for i in range(samples):
        for h in range(units):
            velocity[i, h] = descent.momentum * velocity[i, h] + gradient[i, h]
            coefficient[i, h] = kept * (coefficient[i, h] + descent.rate * velocity[i, h])
            value[i, h] = start[i, h]
    for i in range(samples):
        for j in range(samples):
            if gram.shape[2] == 1:
                same = gram[i, j, 0]
                for h in range(units):
                    value[i, h] -= same * coefficient[j, h]
            else:
                for h in range(units):
                    value[i, h] -= gram[i, j, h] * coefficient[j, h]


@numba.njit(cache=True)
def _move(weights: Any, velocity: Any, gradient: np.ndarray, descent: Any) -> None:
    """`TensorUpdate.step` of SGD."""
    value, velocity, gradient = weights.value.ravel(), velocity.ravel(), gradient.ravel()
    for i in range(value.size):
        velocity[i] = descent.momentum * velocity[i] + gradient[i]
        value[i] -= weights.factor[i] * velocity[i]
    if weights.kept != 1:
        for i in range(value.size):
            value[i] = weights.start[i] + weights.kept * (value[i] - weights.start[i])
