"""Whole fits of the default architecture as one compiled loop; imported only where numba is there.

A step of a small network takes torch longer to arrange than to compute. `scarceseq.fewshot.engine.loop` finds the same
weights without this.
"""

import numba
import numpy as np
import torch
from torch import nn

from scarceseq.pretrain.gene_layers import Given

# Parameters of a classifier on the default encoder whose layers over the genes are in dual form, in this order.
NAMES = (
    *("encoder.linear.value", "encoder.hidden.0.value", "encoder.hidden.1.weight", "encoder.hidden.1.bias"),
    *("encoder.output.weight", "head.weight", "head.bias"),
)
# Sums may be taken in any order; values that are not finite stay so.
FREE_ORDER = {"reassoc", "contract"}


def is_known(module):
    """Whether `descend` can fit this classifier: a linear path beside one hidden layer, both over the genes."""
    if tuple(dict(module.named_parameters())) != NAMES:
        return False
    encoder, head = module.encoder, module.head
    hidden = [type(layer) for layer in encoder.hidden]
    known = hidden == [Given, nn.LayerNorm, nn.ReLU] and type(encoder.output) is type(head) is nn.Linear
    return known and type(encoder).__module__ == "scarceseq.pretrain.architectures.mlp"


def descend(module, weights, updates, classes, schedule):
    """All steps of one fit, in place; what `Engine.fit` does with torch.

    Parameters
    ----------
    module : Classifier
        That `is_known`.
    weights : dict of str to Tensor
        By the names of `NAMES`.
    updates : dict of str to (TensorUpdate or LayerUpdate)
        Of those that are trained.
    classes : Tensor of int64, (samples,)
    schedule : Schedule

    Returns
    -------
    bool
        False if an update is of a kind that is not compiled; then nothing was done.
    """
    arrays = []
    for name in NAMES:
        update = updates.get(name)
        if update is not None and isinstance(update.kept, torch.Tensor):
            return False
        arrays += (_layer if name.endswith(".value") else _tensor)(update, weights[name])
    number = arrays[0].dtype.type
    scalars = number(schedule.learning_rate), number(schedule.momentum), number(module.encoder.hidden[1].eps)
    _descend(*arrays, classes.numpy(), *scalars, schedule.steps)  # type: ignore[call-arg]
    return True


def _layer(update, value):
    """Arrays of one layer over the genes: its values, their start, Gram matrices, coefficients, what a pull keeps."""
    number = value.numpy().dtype.type
    if update is None:
        return [
            value.numpy(),
            value.numpy(),
            value.new_zeros(0, 0, 0).numpy(),
            value.new_zeros(0, 0).numpy(),
            number(1),
        ]
    gram = update.layer.gram if update.layer.gram.ndim == 3 else update.layer.gram.unsqueeze(-1)
    kept = number(1 if update.kept is None else update.kept)
    return [value.numpy(), update.layer.start.numpy(), gram.contiguous().numpy(), update.coefficient.numpy(), kept]


def _tensor(update, weight):
    """Arrays of one other tensor: itself, its start, the factor of its updates, what a pull keeps."""
    number = weight.numpy().dtype.type
    factor = torch.as_tensor(0.0 if update is None else update.factor, dtype=weight.dtype).expand(weight.shape)
    kept = number(1 if update is None or update.kept is None else update.kept)
    return [weight.numpy(), weight.numpy().copy(), factor.contiguous().numpy(), kept]


@numba.njit(cache=True)
def _descend(
    linear, linear_start, linear_gram, linear_coefficient, linear_kept,
    hidden, hidden_start, hidden_gram, hidden_coefficient, hidden_kept,
    scale, scale_start, scale_factor, scale_kept,
    shift, shift_start, shift_factor, shift_kept,
    output, output_start, output_factor, output_kept,
    head, head_start, head_factor, head_kept,
    bias, bias_start, bias_factor, bias_kept,
    classes, rate, momentum, epsilon, steps,
):  # fmt: skip
    """Forward, backward and update, step by step; names end as those of the classifier's parameters."""
    normal, spread = np.empty_like(hidden), np.empty(len(hidden), dtype=hidden.dtype)
    active, hidden_gradient = np.empty_like(hidden), np.empty_like(hidden)
    embedding, linear_gradient = np.empty_like(linear), np.empty_like(linear)
    output_gradient, head_gradient = np.empty_like(output), np.empty_like(head)
    scale_gradient, shift_gradient, bias_gradient = np.empty_like(scale), np.empty_like(shift), np.empty_like(bias)
    linear_velocity, hidden_velocity = np.zeros_like(linear), np.zeros_like(hidden)
    scale_velocity, shift_velocity, bias_velocity = np.zeros_like(scale), np.zeros_like(shift), np.zeros_like(bias)
    output_velocity, head_velocity = np.zeros_like(output), np.zeros_like(head)
    for _ in range(steps):
        _normalise(hidden, scale, shift, epsilon, normal, spread, active)
        np.dot(active, output.T, embedding)
        embedding += linear
        error = np.dot(embedding, head.T)
        _softmax_error(error, bias, classes, bias_gradient)
        np.dot(error.T, embedding, head_gradient)
        np.dot(error, head, linear_gradient)
        np.dot(linear_gradient.T, active, output_gradient)
        np.dot(linear_gradient, output, hidden_gradient)
        _normalise_backward(hidden_gradient, normal, spread, active, scale, scale_gradient, shift_gradient)
        _move_layer(
            linear, linear_start, linear_gram, linear_coefficient, linear_velocity, linear_gradient, linear_kept,
            rate, momentum,
        )  # fmt: skip
        _move_layer(
            hidden, hidden_start, hidden_gram, hidden_coefficient, hidden_velocity, hidden_gradient, hidden_kept,
            rate, momentum,
        )  # fmt: skip
        _move(scale, scale_start, scale_factor, scale_velocity, scale_gradient, scale_kept, momentum)
        _move(shift, shift_start, shift_factor, shift_velocity, shift_gradient, shift_kept, momentum)
        _move(
            output.ravel(), output_start.ravel(), output_factor.ravel(), output_velocity.ravel(),
            output_gradient.ravel(), output_kept, momentum,
        )  # fmt: skip
        _move(
            head.ravel(), head_start.ravel(), head_factor.ravel(), head_velocity.ravel(), head_gradient.ravel(),
            head_kept, momentum,
        )  # fmt: skip
        _move(bias, bias_start, bias_factor, bias_velocity, bias_gradient, bias_kept, momentum)


@numba.njit(cache=True, fastmath=FREE_ORDER)
def _normalise(values, scale, shift, epsilon, normal, spread, active):
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
def _normalise_backward(gradient, normal, spread, active, scale, scale_gradient, shift_gradient):
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
def _softmax_error(logits, bias, classes, bias_gradient):
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
def _move_layer(value, start, gram, coefficient, velocity, gradient, kept, rate, momentum):
    """`LayerUpdate.step`; nothing for a layer that is not trained."""
    if coefficient.size == 0:
        return
    samples, units = value.shape
    for i in range(samples):
        for h in range(units):
            velocity[i, h] = momentum * velocity[i, h] + gradient[i, h]
            coefficient[i, h] = kept * (coefficient[i, h] + rate * velocity[i, h])
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
def _move(weight, start, factor, velocity, gradient, kept, momentum):
    """`TensorUpdate.step` of SGD, on flat arrays."""
    for i in range(weight.size):
        velocity[i] = momentum * velocity[i] + gradient[i]
        weight[i] -= factor[i] * velocity[i]
    if kept != 1:
        for i in range(weight.size):
            weight[i] = start[i] + kept * (weight[i] - start[i])
