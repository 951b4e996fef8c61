"""The training loop of GEARS, the same for all modes."""

import logging
import math
import time
from collections.abc import Callable
from typing import Any

import torch

from scarceseq.errors import InputError
from scarceseq.perturbation.gears.batches import Batch, CellBatches, MomentBatches
from scarceseq.perturbation.gears.loss import autofocus, wrong_direction
from scarceseq.perturbation.gears.model import Gears
from scarceseq.perturbation.gears.settings import TrainingSettings

logger = logging.getLogger(__name__)

PROGRESS_EVERY_SECONDS = 3.0


def train(
    model: Gears, batches: Any, settings: TrainingSettings, validate: Callable | None = None
) -> list[dict[str, Any]]:
    """Train in place.

    Adam with weight decay, gradients clipped by value, the learning rate multiplied by `decay_per_epoch` after each
    epoch: as cell-gears does. Of each epoch ``epoch``, ``loss`` (members,) and, with `validate`, ``validation``
    (members,) are returned.

    Parameters
    ----------
    validate : callable, optional
        Called with the model after each epoch, returns errors (members,). Each member then ends with the weights of
        its best epoch; without it, with those of the last.

    Raises
    ------
    InputError
        If the loss stops being a finite number.
    """
    optimiser = torch.optim.Adam(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, settings.decay_per_epoch)
    history, best, last_report = [], None, time.monotonic()
    for epoch in range(settings.epochs):
        total = 0.0
        model.train()
        for step, batch in enumerate(batches.epoch(epoch), start=1):
            losses = training_step(model, batch, batches, settings, optimiser)
            total = total + losses
            if time.monotonic() - last_report > PROGRESS_EVERY_SECONDS or step == batches.steps:
                last_report = time.monotonic()
                mean = float(total.mean()) / step
                _check_finite(mean, epoch, step, settings)
                logger.info("epoch %d/%d  step %d/%d  loss %.4f", epoch + 1, settings.epochs, step, batches.steps, mean)
        schedule.step()
        history.append({"epoch": epoch, "loss": (total / batches.steps).tolist()})
        if validate is not None:
            errors = torch.as_tensor(validate(model))
            best = _keep_best(model, errors, best)
            history[-1]["validation"] = errors.tolist()
    if best is not None:
        model.load_state_dict(best[1])
    model.eval()
    return history


def training_step(
    model: Gears,
    batch: Batch,
    batches: CellBatches | MomentBatches,
    settings: TrainingSettings,
    optimiser: torch.optim.Optimizer,
) -> Any:
    """One step; the loss of each member, (members,)."""
    optimiser.zero_grad(set_to_none=True)
    losses = batch_losses(model, batch, settings, batches)
    losses.sum().backward()
    torch.nn.utils.clip_grad_value_(model.parameters(), settings.largest_gradient)
    optimiser.step()
    return losses.detach()


def batch_losses(
    model: Gears, batch: Batch, settings: TrainingSettings, batches: CellBatches | MomentBatches
) -> torch.Tensor:
    """The loss of a batch, (members,).

    The direction term is a part of it where single control cells are known (mode ``reference``); elsewhere it is left
    out, since its gradient is 0.
    """
    delta, log_variance = model(batch.rows)
    member = torch.arange(len(delta), device=delta.device)[:, None]
    position = batch.rows.position
    delta = delta[member, position]
    terms = autofocus(delta, *batch.moments)
    if log_variance is not None:
        terms = terms * (1 + settings.uncertainty_weight * torch.exp(-log_variance[member, position]))
    if batch.measured is not None:
        wrong = wrong_direction(delta, *batch.measured, batches.mean_control)  # type: ignore[call-arg]
        terms = terms + settings.direction_weight * wrong
    return (batch.weight * terms).sum(dim=(1, 2))


@torch.no_grad()
def _keep_best(
    model: Gears, errors: torch.Tensor, best: tuple[torch.Tensor, dict[str, torch.Tensor]] | None
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The least error of each member and the weights it had, (errors, state)."""
    state = model.state_dict()
    if best is None:
        return errors.clone(), {name: value.clone() for name, value in state.items()}
    better = errors < best[0]
    for name, value in state.items():
        best[1][name][better] = value[better]
    best[0][better] = errors[better]
    return best


def _check_finite(loss: float, epoch: int, step: int, settings: TrainingSettings) -> None:
    if not math.isfinite(loss):
        raise InputError(
            f"GEARS: the loss is {loss} in epoch {epoch + 1}, step {step}; lower learning_rate (now "
            f"{settings.learning_rate})"
        )
