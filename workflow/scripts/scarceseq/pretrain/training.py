"""The pre-training loop: a fixed number of steps on random batches."""

import contextlib
import itertools
import logging
import math
import time

import numpy as np
import torch

from scarceseq.corpus.loader import Loader
from scarceseq.corpus.order import draw_batches
from scarceseq.errors import InputError
from scarceseq.pretrain.masking import draw_mask
from scarceseq.pretrain.task import Batch
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

PROGRESS_EVERY_SECONDS = 3.0
VALIDATION_CHUNK_SAMPLES = 512


def train(task, base, matrix, rows, validation_rows, settings, seed):
    """Train the task's weights in place; those of the last step stay.

    Parameters
    ----------
    task : scarceseq.pretrain.task.Task
        Of the base, on its device.
    base : scarceseq.pretrain.model.Base
    matrix : numpy.ndarray, (samples, genes)
        log2(TPM + 1); rows are read batch by batch.
    rows, validation_rows : numpy.ndarray of int
        Samples to train on, and samples whose loss is only recorded (may be empty).
    settings : PretrainSettings
    seed : int
        Of batches, masks and noise.

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
    task, device = task.train(), base.mean.device
    optimiser = torch.optim.AdamW(
        task.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_factor(step, settings))
    generator = torch.Generator(device).manual_seed(derive(seed, "masks"))
    order = itertools.islice(draw_batches(rows, settings.batch_samples, derive(seed, "batches")), settings.steps)
    loader = Loader(matrix, order, device, base.standardise, rows)
    progress = Progress(settings.steps)
    history, recent = [], []
    with contextlib.closing(iter(loader)) as batches:
        for step, (samples, expression) in enumerate(batches, start=1):
            mask = draw_mask(*expression.shape, settings.mask_share, generator)
            noise = settings.input_noise * torch.randn(expression.shape, generator=generator, device=device)
            losses = task(Batch(samples, expression, mask, noise))
            optimiser.zero_grad(set_to_none=True)
            losses["loss"].backward()
            torch.nn.utils.clip_grad_norm_(task.parameters(), settings.maximum_gradient_norm)
            optimiser.step()
            schedule.step()
            recent.append({name: loss.item() for name, loss in losses.items()})
            progress.report(step, len(samples), _finite(recent[-1]["loss"], step, settings))
            if step % settings.validate_every_steps == 0 or step == settings.steps:
                trained = {f"train_{name}": float(np.mean([entry[name] for entry in recent])) for name in recent[0]}
                validation = validation_losses(task, base, matrix, validation_rows, settings, seed)
                tested = {f"validation_{name}": validation.get(name, math.nan) for name in recent[0]}
                history.append({"step": step} | trained | tested)
                recent = []
    task.eval()
    return history


def rate_factor(step, settings):
    """Learning rate after `step` steps as a share of the highest: linear warm-up, then half a cosine towards 0."""
    if step < settings.warm_up_steps:
        return (step + 1) / settings.warm_up_steps
    remaining = max(settings.steps - settings.warm_up_steps, 1)
    return 0.5 * (1 + math.cos(math.pi * min((step - settings.warm_up_steps) / remaining, 1.0)))


@torch.no_grad()
def validation_losses(task, base, matrix, rows, settings, seed):
    """Losses over `rows` by name, with masks that are the same at every call; empty without rows."""
    task.eval()
    generator = torch.Generator(base.mean.device).manual_seed(derive(seed, "validation masks"))
    total = {}
    for start in range(0, len(rows), VALIDATION_CHUNK_SAMPLES):
        chunk = rows[start : start + VALIDATION_CHUNK_SAMPLES]
        expression = base.standardise(matrix[chunk])
        mask = draw_mask(*expression.shape, settings.mask_share, generator)
        for name, loss in task(Batch(chunk, expression, mask)).items():
            total[name] = total.get(name, 0.0) + loss.item() * len(chunk) / len(rows)
    task.train()
    return total


def _finite(loss, step, settings):
    if not math.isfinite(loss):
        raise InputError(
            f"pretrain: the loss is {loss} at step {step} of {settings.steps}; lower learning_rate "
            f"(now {settings.learning_rate}) or lengthen warm_up_steps (now {settings.warm_up_steps})"
        )
    return loss


class Progress:
    """A line in the log every few seconds: step, loss, samples per second, time left."""

    def __init__(self, steps):
        self.steps = steps
        self.start = self.last = time.monotonic()
        self.samples = 0

    def report(self, step, samples, loss):
        """Count `samples` and log if the last line is old enough or the run is over."""
        self.samples += samples
        now = time.monotonic()
        if now - self.last < PROGRESS_EVERY_SECONDS and step < self.steps:
            return
        self.last, elapsed = now, max(now - self.start, 1e-9)
        left = elapsed / step * (self.steps - step)
        rate = self.samples / elapsed
        logger.info("step %d/%d  loss %.4f  %.0f samples/s  %.0f s left", step, self.steps, loss, rate, left)
