"""The pre-training loop: optimiser steps on random batches, resumed where a killed run stopped."""

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
from scarceseq.pretrain.batches import cut_batch, make_batch, standardiser
from scarceseq.pretrain.distributed import ALONE
from scarceseq.pretrain.events import Events
from scarceseq.pretrain.masking import draw_mask
from scarceseq.pretrain.precision import choose_dtype
from scarceseq.pretrain.progress import Progress
from scarceseq.pretrain.schedule import rate_factor
from scarceseq.pretrain.task import Batch
from scarceseq.pretrain.watch import LossWatch, Patience
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

VALIDATION_CHUNK_SAMPLES = 512
# Steps whose losses are fetched from the device together: a fetch waits for all that is queued there.
READ_EVERY_STEPS = 20


@dataclass
class State:
    """Where a run is, besides its weights and the optimiser's moments.

    Attributes
    ----------
    step : int
        Steps done.
    ended : bool
        Whether there are no more to do.
    history : list of dict
        Entries so far, see `train`.
    recent : list of dict
        Losses by name of each step since the last of them.
    watch : LossWatch
    patience : Patience
    """

    step: int = 0
    ended: bool = False
    history: list = field(default_factory=list)
    recent: list = field(default_factory=list)
    watch: LossWatch = field(default_factory=LossWatch)
    patience: Patience = field(default_factory=Patience)


def train(task, base, matrix, rows, validation_rows, settings, seed, checkpoint=None, events=None, group=ALONE):
    """Train the task's weights in place. Those of the last step stay, or with early stopping those validated best.

    Parameters
    ----------
    task : scarceseq.pretrain.task.Task
        Of the base, on its device; the same in all processes.
    base : scarceseq.pretrain.model.Base
    matrix : numpy.ndarray, (samples, genes)
        log2(TPM + 1); rows are read batch by batch.
    rows, validation_rows : numpy.ndarray of int
        Samples to train on, and samples whose loss is recorded (may be empty).
    settings : PretrainSettings
    seed : int
        Of batches, masks and noise.
    checkpoint : scarceseq.pretrain.checkpoint.Checkpoint, optional
        Where the run is resumed from, and what it can be resumed from.
    events : scarceseq.pretrain.events.Events, optional
        Where curves are written.
    group : scarceseq.pretrain.distributed.Group
        Processes that share each batch.

    Returns
    -------
    history : list of dict
        ``step``; ``train_loss`` (mean since the entry before) and ``validation_loss`` (NaN without validation rows);
        the same two of each objective, such as ``train_masked_expression``.
    step : int
        Whose weights stay.

    Raises
    ------
    InputError
        If the loss diverges, or settings ask for what cannot be had.
    """
    return Training(task, base, matrix, rows, validation_rows, settings, seed, checkpoint, events, group).run()


class Training:
    """One run; parameters as of `train`."""

    def __init__(self, task, base, matrix, rows, validation_rows, settings, seed, checkpoint, events, group):
        if settings.early_stopping_validations and len(validation_rows) == 0:
            raise InputError(
                f"split '{settings.split}' has no validation studies, by which early_stopping_validations "
                f"({settings.early_stopping_validations}) would stop; give studies that role, or set it to 0"
            )
        self.task, self.matrix, self.rows, self.validation_rows = task, matrix, rows, validation_rows
        self.settings, self.seed, self.group = settings, seed, group
        self.device = base.mean.device
        self.dtype = choose_dtype(settings.precision, self.device)
        self.checkpoint = checkpoint
        self.events = (events if group.is_first else None) or Events()
        self.standardise = standardiser(base.mean, base.scale, self.dtype)
        self.optimiser = torch.optim.AdamW(
            task.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.parts = cut_batch(settings.batch_samples, settings.samples_at_once, group.rank, group.size)
        self.state, self.best, self.saved_step = State(), {}, None
        self.names, self.unread = [], []

    def run(self):
        """Train; see `train`."""
        self._resume()
        state, settings = self.state, self.settings
        model = self.group.wrap(self.task.train())
        progress = Progress(state.step, settings.steps, settings.batch_samples)
        self.events.start(state.step)
        with contextlib.closing(iter(self._loader())) as loaded, torch.random.fork_rng():
            while not state.ended:
                state.step += 1
                self.unread.append(self._step(model, loaded))
                due = state.step % settings.validate_every_steps == 0 or state.step == settings.steps
                keep = state.step % settings.checkpoint_every_steps == 0
                if due or keep or len(self.unread) == READ_EVERY_STEPS:
                    self._read()
                    progress.report(state.step, state.recent[-1]["loss"])
                if due:
                    self._validate()
                if (keep or state.ended) and state.watch.high == 0:
                    self._save()
        self.events.close()
        if self.best:
            for name, parameter in self.task.named_parameters():
                parameter.data.copy_(self.best[name])
        self.task.eval()
        return state.history, state.patience.best_step if self.best else state.step

    def _loader(self):
        settings, done = self.settings, self.state.step
        order = draw_batches(self.rows, settings.batch_samples, derive(self.seed, "batches"), first_batch=done)
        order = itertools.islice(order, settings.steps - done)
        of_parts = (batch[part.start : part.stop] for batch in order for part in self.parts)
        return Loader(self.matrix, of_parts, self.device, self.standardise, self.rows)

    def _step(self, model, loaded):
        """One step of the optimiser; returns the losses of this process's share, on the device, not waited for."""
        settings, step = self.settings, self.state.step
        for weights in self.optimiser.param_groups:
            weights["lr"] = settings.learning_rate * rate_factor(step - 1, settings)
        self.optimiser.zero_grad(set_to_none=True)
        seed, total = derive(self.seed, "step", step), 0.0
        for part in self.parts:
            samples, expression = next(loaded)
            batch = make_batch(samples, expression, part, settings, seed)
            torch.manual_seed(derive(seed, "network", part.start))
            with self.group.exchange(model, last=part is self.parts[-1]):
                with self._autocast():
                    losses = model(batch)
                share = len(part) * self.group.size / settings.batch_samples
                (losses["loss"] * share).backward()
            self.names = list(losses)
            total += torch.stack([loss.detach().float() for loss in losses.values()]) * share
        self._clip()
        self.optimiser.step()
        return total

    def _clip(self):
        """Let the optimiser divide gradients by what their norm is above its maximum, which saves a pass over them."""
        gradients = [weight.grad for weight in self.task.parameters() if weight.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        self.optimiser.grad_scale = (norm / self.settings.maximum_gradient_norm).clamp_min(1).float()  # type: ignore[attr-defined]

    def _autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    def _read(self):
        """Fetch the losses of the last steps, the same in all processes, and judge them."""
        state, first = self.state, self.state.step - len(self.unread) + 1
        read = self.group.mean(torch.stack(self.unread)).tolist()
        self.unread = []
        for step, losses in enumerate(read, start=first):
            state.recent.append(dict(zip(self.names, losses, strict=True)))
            state.watch.check(state.recent[-1]["loss"], step, self.settings, self._kept())
        means = {name: float(np.mean([losses[i] for losses in read])) for i, name in enumerate(self.names)}
        rate = self.optimiser.param_groups[0]["lr"]
        self.events.write(state.step, {f"train/{name}": mean for name, mean in means.items()} | {"learning_rate": rate})

    def _kept(self):
        if self.saved_step is None:
            return ""
        return (
            f"; {self.checkpoint.path} keeps step {self.saved_step}, where an unchanged run goes on, "
            "while one with other settings starts anew"
        )

    def _validate(self):
        """Add an entry to the history, and end the run if it is time."""
        state, settings = self.state, self.settings
        validation = self._validation_losses()
        trained = {f"train_{name}": float(np.mean([entry[name] for entry in state.recent])) for name in self.names}
        tested = {f"validation_{name}": validation.get(name, math.nan) for name in self.names}
        state.history.append({"step": state.step} | trained | tested)
        state.recent = []
        self.events.write(state.step, {f"validation/{name}": loss for name, loss in validation.items()})
        state.ended = state.step == settings.steps
        if settings.early_stopping_validations:
            if state.patience.improved(validation["loss"], state.step):
                self.best = {name: tensor.detach().clone() for name, tensor in self.task.named_parameters()}
            elif state.patience.worse >= settings.early_stopping_validations:
                state.ended = True
                logger.info("stopped at step %d: best validation at step %d", state.step, state.patience.best_step)

    @torch.no_grad()
    def _validation_losses(self):
        """Losses over the validation rows by name, with masks that are the same each time; empty without rows."""
        rows, total = self.validation_rows, {}
        self.task.eval()
        starts = range(0, len(rows), VALIDATION_CHUNK_SAMPLES)
        for start in starts[self.group.rank :: self.group.size]:
            chunk = rows[start : start + VALIDATION_CHUNK_SAMPLES]
            values = torch.from_numpy(np.require(self.matrix[chunk], requirements="W")).to(self.device)
            mask_seed = derive(self.seed, "validation masks", start)
            mask = draw_mask(len(chunk), values.shape[1], self.settings.mask_share, mask_seed, self.device)
            with self._autocast():
                losses = self.task(Batch(chunk, self.standardise(values), mask))
            for name, loss in losses.items():
                total[name] = total.get(name, 0.0) + loss.item() * len(chunk) / len(rows)
        self.task.train()
        if len(rows) == 0:
            return {}
        sums = torch.tensor([total.get(name, 0.0) for name in self.names], dtype=torch.float64, device=self.device)
        return dict(zip(self.names, (self.group.mean(sums) * self.group.size).tolist(), strict=True))

    def _save(self):
        if self.checkpoint is None:
            return
        if self.group.is_first:
            tensors = {f"task.{name}": tensor for name, tensor in _named_tensors(self.task)}
            for number, moments in self.optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser.{number}.{key}": value for key, value in moments.items()}
            tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
            self.checkpoint.save(tensors, asdict(self.state))
        self.saved_step = self.state.step

    def _resume(self):
        """Take weights, moments and state from the checkpoint, if there is one of this run."""
        found = self.checkpoint.load() if self.checkpoint else None
        if found is None:
            return
        tensors, scalars = found
        with torch.no_grad():
            for name, tensor in _named_tensors(self.task):
                tensor.copy_(tensors[f"task.{name}"])
        moments = {}
        for name, tensor in tensors.items():
            kind, _, place = name.partition(".")
            if kind == "optimiser":
                number, key = place.split(".")
                moments.setdefault(int(number), {})[key] = tensor
            elif kind == "best":
                self.best[place] = tensor.to(self.device)
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": moments})
        watch, patience = LossWatch(**scalars.pop("watch")), Patience(**scalars.pop("patience"))
        self.state = State(**scalars, watch=watch, patience=patience)
        self.saved_step = self.state.step
        logger.info("resuming after step %d", self.state.step)


def _named_tensors(task):
    return [*task.named_parameters(), *task.named_buffers()]
