"""The pre-training loop: masked-expression reconstruction for a fixed number of steps."""

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
from scarceseq.pretrain.task import Batch, Task
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

PROGRESS_EVERY_SECONDS = 3.0
VALIDATION_CHUNK_SAMPLES = 512


def train(base, matrix, rows, validation_rows, settings, seed):
    """Train the base's network in place; the last step's weights stay.

    Parameters
    ----------
    base : scarceseq.pretrain.model.Base
        Its network is trained, on the device where it is.
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
        ``step``, ``train_loss`` (mean since the entry before) and ``validation_loss`` (NaN without validation rows).

    Raises
    ------
    InputError
        If the loss stops being a finite number.
    """
    task, device = Task(base.network).train(), base.mean.device
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
            loss = task(Batch(samples, expression, mask, noise))["loss"]
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(task.parameters(), settings.maximum_gradient_norm)
            optimiser.step()
            schedule.step()
            recent.append(_finite(loss.item(), step, settings))
            progress.report(step, len(samples), recent[-1])
            if step % settings.validate_every_steps == 0 or step == settings.steps:
                validation = validation_loss(task, base, matrix, validation_rows, settings, seed)
                history.append({"step": step, "train_loss": float(np.mean(recent)), "validation_loss": validation})
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
def validation_loss(task, base, matrix, rows, settings, seed):
    """Masked error over `rows` with masks that are the same at every call; NaN without rows."""
    if len(rows) == 0:
        return math.nan
    task.eval()
    generator = torch.Generator(base.mean.device).manual_seed(derive(seed, "validation masks"))
    total = 0.0
    for start in range(0, len(rows), VALIDATION_CHUNK_SAMPLES):
        chunk = rows[start : start + VALIDATION_CHUNK_SAMPLES]
        expression = base.standardise(matrix[chunk])
        mask = draw_mask(*expression.shape, settings.mask_share, generator)
        total += task(Batch(chunk, expression, mask))["loss"].item() * len(chunk)
    task.train()
    return total / len(rows)


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
