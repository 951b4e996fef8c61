"""The pre-training loop: optimiser steps on random batches, resumed where a killed run stopped."""

import contextlib
import math
from typing import Any

import numpy as np
import torch

from scarceseq.errors import InputError
from scarceseq.pretrain.batches import make_batch
from scarceseq.pretrain.checkpoint import Checkpoint
from scarceseq.pretrain.distributed import ALONE, Group
from scarceseq.pretrain.events import Events
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.run_state import Run
from scarceseq.pretrain.settings import PretrainSettings
from scarceseq.pretrain.task import Task
from scarceseq.progress import StepProgress
from scarceseq.seeds import derive

# Steps whose losses are fetched from the device together: a fetch waits for all that is queued there.
READ_EVERY_STEPS = 20


def train(
    task: Task,
    base: Base,
    matrix: np.ndarray,
    rows: np.ndarray,
    validation_rows: np.ndarray,
    settings: PretrainSettings,
    seed: int,
    checkpoint: Checkpoint | None = None,
    events: Events | None = None,
    group: Group = ALONE,
) -> tuple[list[dict], int]:
    """Train the task's weights in place. Those of the last step stay, or with early stopping those validated best.

    `matrix`, (samples, genes), is log2(TPM + 1), read batch by batch; `rows` are trained on, and the loss on
    `validation_rows`, if there are any, is recorded. `seed` is that of batches, masks and noise. The run resumes from
    `checkpoint`, and leaves there what it can be resumed from; curves go to `events`. The processes of `group`, with
    the same task each, share each batch.

    Gives the history and the step whose weights stay. An entry of the history has ``step``; ``train_loss`` (mean since
    the entry before) and ``validation_loss`` (NaN without validation rows); the same two of each objective, such as
    ``train_masked_expression``. Raises InputError if the loss diverges, or settings ask for what cannot be had.
    """
    check_early_stopping(settings, validation_rows)
    run = Run(task, base, matrix, rows, validation_rows, settings, seed, checkpoint, events, group)
    state = run.state
    model = group.wrap(task.train())
    progress = StepProgress(state.step, settings.steps, settings.batch_samples)
    run.events.start(state.step)
    with contextlib.closing(run.batches()) as batches, torch.random.fork_rng():
        while not state.ended:
            state.step += 1
            for weights in run.optimiser.param_groups:
                weights["lr"] = settings.learning_rate * rate_factor(state.step - 1, settings)

            # forward and backward, piece by piece of this process's share of the batch
            run.optimiser.zero_grad(set_to_none=True)
            step_seed = derive(seed, "step", state.step)
            total: Any = 0.0
            for piece in run.pieces:
                samples, expression = next(batches)
                batch = make_batch(samples, expression, piece, settings, step_seed)
                torch.manual_seed(derive(step_seed, "network", piece.start))
                share = len(piece) * group.size / settings.batch_samples
                with group.exchange(model, last=piece is run.pieces[-1]):  # gradients are exchanged once a step
                    with run.autocast():
                        losses = model(batch)
                    (losses["loss"] * share).backward()
                total += torch.stack([loss.detach().float() for loss in losses.values()]) * share
            limit_gradients(task, run.optimiser, settings.maximum_gradient_norm)
            run.optimiser.step()
            run.unread.append(total)  # on the device: reading it here would wait for all that is queued there

            run.names = list(losses)
            validate = state.step % settings.validate_every_steps == 0 or state.step == settings.steps
            save = state.step % settings.checkpoint_every_steps == 0
            if validate or save or len(run.unread) == READ_EVERY_STEPS:
                run.read_losses()  # raises where they diverge
                progress.report(state.step, state.recent[-1]["loss"])
            if validate:
                run.validate()  # ends the run at its last step, or where held-out studies gain nothing any more
            if (save or state.ended) and state.watch.high == 0:
                run.save()
    run.events.close()
    run.take_best()
    task.eval()
    return state.history, state.patience.best_step if run.best else state.step


def check_early_stopping(settings: PretrainSettings, validation_rows: np.ndarray) -> None:
    """Raise `InputError` if a run is to be stopped by validation studies that there are not."""
    if settings.early_stopping_validations and len(validation_rows) == 0:
        raise InputError(
            f"split '{settings.split}' has no validation studies, by which early_stopping_validations "
            f"({settings.early_stopping_validations}) would stop; give studies that role, or set it to 0"
        )


def rate_factor(step: int, settings: PretrainSettings) -> float:
    """Learning rate after `step` steps as a share of the highest: linear warm-up, then half a cosine towards 0."""
    if step < settings.warm_up_steps:
        return (step + 1) / settings.warm_up_steps
    remaining = max(settings.steps - settings.warm_up_steps, 1)
    return 0.5 * (1 + math.cos(math.pi * min((step - settings.warm_up_steps) / remaining, 1.0)))


def limit_gradients(task: Task, optimiser: torch.optim.Optimizer, maximum_norm: float) -> None:
    """Let the optimiser divide gradients by what their norm is above its maximum, which saves a pass over them."""
    gradients = [weight.grad for weight in task.parameters() if weight.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    optimiser.grad_scale = (norm / maximum_norm).clamp_min(1).float()  # type: ignore[attr-defined]
