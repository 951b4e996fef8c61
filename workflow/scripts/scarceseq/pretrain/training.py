"""The pre-training loop: a fixed number of optimiser steps, resumed where a killed run stopped."""

import contextlib
import itertools
import logging
import math
from dataclasses import asdict, dataclass, field

import numpy as np
import torch

from scarceseq.corpus.loader import Loader
from scarceseq.corpus.order import draw_batches
from scarceseq.errors import InputError
from scarceseq.pretrain.masking import draw_mask, draw_noise, draw_part
from scarceseq.pretrain.progress import Progress
from scarceseq.pretrain.schedule import rate_factor
from scarceseq.pretrain.task import Batch
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

VALIDATION_CHUNK_SAMPLES = 512


@dataclass
class State:
    """Where a run is, besides its weights and the optimiser's moments.

    Attributes
    ----------
    step : int
        Steps done.
    history : list of dict
        Entries so far, see `train`.
    recent : list of dict
        Losses by name of each step since the last of them.
    """

    step: int = 0
    history: list = field(default_factory=list)
    recent: list = field(default_factory=list)


def train(task, base, matrix, rows, validation_rows, settings, seed, checkpoint=None):
    """Train the task's parameters in place; the last step's weights stay.

    Parameters
    ----------
    task : scarceseq.pretrain.task.Task
    base : scarceseq.pretrain.model.Base
        Its normalisation and device are used; its network is part of the task.
    matrix : numpy.ndarray, (samples, genes)
        log2(TPM + 1); rows are read batch by batch.
    rows, validation_rows : numpy.ndarray of int
        Samples to train on, and samples whose loss is only recorded (may be empty).
    settings : PretrainSettings
    seed : int
        Of batches, masks and noise.
    checkpoint : scarceseq.pretrain.checkpoint.Checkpoint, optional
        Where the run is resumed from, and what it can be resumed from.

    Returns
    -------
    list of dict
        ``step``; ``train_loss`` (mean since the entry before) and ``validation_loss`` (NaN without validation rows);
        the same two of each objective, such as ``train_masked_expression``.

    Raises
    ------
    InputError
        If the loss stops being a finite number.
    """
    optimiser = torch.optim.AdamW(
        task.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    state = _resume(checkpoint, task, optimiser) or State()
    parts = cut_batch(settings.batch_samples, settings.samples_at_once)
    order = draw_batches(rows, settings.batch_samples, derive(seed, "batches"), first_batch=state.step)
    order = itertools.islice(order, settings.steps - state.step)
    loader = Loader(
        matrix,
        (batch[part.start : part.stop] for batch in order for part in parts),
        base.mean.device,
        base.standardise,
        rows,
    )
    progress = Progress(state.step, settings.steps)
    task.train()
    with contextlib.closing(iter(loader)) as loaded, torch.random.fork_rng():
        while state.step < settings.steps:
            state.step += 1
            for group in optimiser.param_groups:
                group["lr"] = settings.learning_rate * rate_factor(state.step - 1, settings)
            step_seed, losses = derive(seed, "step", state.step), {}
            optimiser.zero_grad(set_to_none=True)
            for part in parts:
                batch = make_batch(*next(loaded), part, settings, step_seed)
                torch.manual_seed(derive(step_seed, "network", part.start))
                for name, loss in task(batch).items():
                    loss = loss * (len(part) / settings.batch_samples)
                    losses[name] = losses.get(name, 0.0) + loss.item()
                    if name == "loss":
                        loss.backward()
            torch.nn.utils.clip_grad_norm_(task.parameters(), settings.maximum_gradient_norm)
            optimiser.step()
            state.recent.append(losses)
            progress.report(state.step, settings.batch_samples, _finite(losses["loss"], state.step, settings))
            if state.step % settings.validate_every_steps == 0 or state.step == settings.steps:
                trained = {f"train_{name}": float(np.mean([entry[name] for entry in state.recent])) for name in losses}
                validation = validation_losses(task, base, matrix, validation_rows, settings, seed)
                tested = {f"validation_{name}": validation.get(name, math.nan) for name in losses}
                state.history.append({"step": state.step} | trained | tested)
                state.recent = []
            if checkpoint and (state.step % settings.checkpoint_every_steps == 0 or state.step == settings.steps):
                checkpoint.save(_tensors(task, optimiser), asdict(state))
    task.eval()
    return state.history


def cut_batch(batch_samples, samples_at_once):
    """The parts of a batch that are computed one after the other, as ranges; 0 takes it whole."""
    size = samples_at_once or batch_samples
    return [range(start, min(start + size, batch_samples)) for start in range(0, batch_samples, size)]


def make_batch(samples, expression, part, settings, seed):
    """Part of a batch: what is seen of it is drawn from the step's seed, however the batch is cut."""
    genes, device = expression.shape[1], expression.device

    def drawn(draw, amount, key):
        return draw_part(
            lambda count, block_seed: draw(count, genes, amount, block_seed, device),
            part,
            settings.batch_samples,
            derive(seed, key),
        )

    mask = drawn(draw_mask, settings.mask_share, "mask")
    noise = drawn(draw_noise, settings.input_noise, "noise") if settings.input_noise else 0.0
    return Batch(samples, expression, mask, noise)


@torch.no_grad()
def validation_losses(task, base, matrix, rows, settings, seed):
    """Losses over `rows` by name, with masks that are the same at every call; empty without rows."""
    task.eval()
    total = {}
    for start in range(0, len(rows), VALIDATION_CHUNK_SAMPLES):
        chunk = rows[start : start + VALIDATION_CHUNK_SAMPLES]
        expression = base.standardise(matrix[chunk])
        mask_seed = derive(seed, "validation masks", start)
        mask = draw_mask(*expression.shape, settings.mask_share, mask_seed, expression.device)
        for name, loss in task(Batch(chunk, expression, mask)).items():
            total[name] = total.get(name, 0.0) + loss.item() * len(chunk) / len(rows)
    task.train()
    return total


def _resume(checkpoint, task, optimiser):
    """State of the run that a checkpoint goes on with, its weights and moments put in place; None to start anew."""
    found = checkpoint.load() if checkpoint else None
    if found is None:
        return None
    tensors, scalars = found
    with torch.no_grad():
        for name, tensor in _named_tensors(task):
            tensor.copy_(tensors[f"task.{name}"])
    moments = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".")
            moments.setdefault(int(number), {})[key] = tensor
    optimiser.load_state_dict(optimiser.state_dict() | {"state": moments})
    logger.info("resuming after step %d", scalars["step"])
    return State(**scalars)


def _tensors(task, optimiser):
    tensors = {f"task.{name}": tensor for name, tensor in _named_tensors(task)}
    for number, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{key}": value for key, value in moments.items()}
    return tensors


def _named_tensors(task):
    return [*task.named_parameters(), *task.named_buffers()]


def _finite(loss, step, settings):
    if not math.isfinite(loss):
        raise InputError(
            f"pretrain: the loss is {loss} at step {step} of {settings.steps}; lower learning_rate "
            f"(now {settings.learning_rate}) or lengthen warm_up_steps (now {settings.warm_up_steps})"
        )
    return loss
