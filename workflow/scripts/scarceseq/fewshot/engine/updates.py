"""How one tensor moves in one step: from its gradient to its new values (torch only)."""

from dataclasses import dataclass
from typing import Any

import torch

ADAM_DECAYS, ADAM_EPSILON = (0.9, 0.999), 1e-8
OPTIMISERS = ("sgd", "adam", "adam_on_scaled_gradient")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    A rate multiplies the *update*, after momentum or Adam's division; with 'adam_on_scaled_gradient' it multiplies the
    gradient, which Adam then cancels.
    """

    learning_rate: float | torch.Tensor  # or (fits,)
    momentum: float  # of SGD; Adam has its own (0.9 and 0.999)
    steps: int  # full-batch steps
    optimiser: str = "sgd"  # of `OPTIMISERS`
    probe_steps: int = 0  # the first steps, in which the head alone is trained

    def learning_rate_of(self, tensor: torch.Tensor) -> Any:
        """Learning rate in a form that multiplies a tensor, whose first dimension is the fits if there are several."""
        if isinstance(self.learning_rate, torch.Tensor):
            return self.learning_rate.to(tensor.dtype).view(-1, *[1] * (tensor.ndim - 1))
        return self.learning_rate

    def kept(self, pull: torch.Tensor | float, tensor: torch.Tensor) -> Any:
        """Factor by which a pull of this strength shortens the way from the start in one step.

        1 / (1 + learning rate * pull / (1 - momentum)): a proximal step, stable for any strength, whose resting
        point is that of ``loss + pull / 2 * (weight - start)**2``. Adam's momentum does not lengthen steps.
        """
        momentum = self.momentum if self.optimiser == "sgd" else 0.0
        return 1.0 / (1.0 + self.learning_rate_of(tensor) * pull / (1.0 - momentum))


class TensorUpdate:
    """Moves one weight tensor in place; it has one more, leading, dimension if there are several fits."""

    def __init__(
        self, weight: torch.Tensor, rate: torch.Tensor | float, pull: torch.Tensor | float, schedule: Schedule
    ) -> None:
        self.weight, self.schedule, self.scale = weight, schedule, None
        if schedule.optimiser == "adam_on_scaled_gradient":
            self.scale, rate = rate, 1.0
        self.factor = rate * schedule.learning_rate_of(weight)
        self.start: Any = weight.detach().clone() if _is_there(pull) else None
        self.kept = schedule.kept(pull, weight) if _is_there(pull) else None
        self.first = torch.zeros_like(weight)
        self.second = torch.zeros_like(weight) if schedule.optimiser != "sgd" else None
        self.steps = 0

    def step(self, gradient: torch.Tensor) -> None:
        """Use up the gradient of one step."""
        self.steps += 1
        if self.scale is not None:
            gradient = gradient * self.scale
        if self.schedule.optimiser == "sgd":
            self._move(torch.add(gradient, self.first, alpha=self.schedule.momentum, out=self.first))
        else:
            self._adam(gradient)
        if self.kept is not None:
            self.weight.sub_(self.start).mul_(self.kept).add_(self.start)

    def _move(self, update: torch.Tensor) -> None:
        if isinstance(self.factor, torch.Tensor):
            self.weight.addcmul_(update, self.factor, value=-1.0)
        else:
            self.weight.sub_(update, alpha=self.factor)

    def _adam(self, gradient: torch.Tensor) -> None:
        """Kingma and Ba 2015, as in torch.optim.Adam."""
        one, two = ADAM_DECAYS
        self.first.lerp_(gradient, 1 - one)
        self.second.mul_(two).addcmul_(gradient, gradient, value=1 - two)
        spread = self.second.sqrt().mul_((1 - two**self.steps) ** -0.5).add_(ADAM_EPSILON)
        if isinstance(self.factor, torch.Tensor):
            self._move(torch.div(self.first, spread, out=spread).div_(1 - one**self.steps))
        else:
            self.weight.addcdiv_(self.first, spread, value=-self.factor / (1 - one**self.steps))


class LayerUpdate:
    """Moves a layer over the genes in its dual form by SGD: its pre-activations `value`, (samples, units), in place."""

    def __init__(self, layer: Any, value: torch.Tensor, pull: torch.Tensor | float, schedule: Schedule) -> None:
        self.layer, self.value, self.schedule = layer, value, schedule
        self.kept = schedule.kept(pull, value) if pull else None
        self.velocity, self.coefficient = torch.zeros_like(value), torch.zeros_like(value)

    def step(self, gradient: torch.Tensor) -> None:
        """Use up the gradient of the pre-activations in one step."""
        torch.add(gradient, self.velocity, alpha=self.schedule.momentum, out=self.velocity)
        self.coefficient.add_(self.velocity * self.schedule.learning_rate_of(self.value))
        if self.kept is not None:
            self.coefficient.mul_(self.kept)
        self.value.copy_(self.layer.preactivation(self.coefficient))


def _is_there(pull: torch.Tensor | float) -> bool:
    return isinstance(pull, torch.Tensor) or pull != 0.0
