"""What a training run holds between two steps: where it is, the optimiser, losses to be read, what is kept."""

import itertools
import logging
import math
from collections.abc import Generator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor

from scarceseq.corpus.loader import Loader
from scarceseq.corpus.order import draw_batches
from scarceseq.pretrain.batches import cut_batch, standardiser
from scarceseq.pretrain.checkpoint import Checkpoint
from scarceseq.pretrain.distributed import Group
from scarceseq.pretrain.events import Events
from scarceseq.pretrain.masking import draw_mask
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.settings import PretrainSettings
from scarceseq.pretrain.task import Batch, Task
from scarceseq.pretrain.watch import LossWatch, Patience
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

VALIDATION_CHUNK_SAMPLES = 512


@dataclass
class State:
    """Where a run is, besides its weights and the optimiser's moments; a checkpoint holds it as JSON."""

    step: int = 0  # steps done
    ended: bool = False  # whether there are no more to do
    history: list = field(default_factory=list)  # entries so far, see `train`
    recent: list = field(default_factory=list)  # losses by name of each step since the last entry
    watch: LossWatch = field(default_factory=LossWatch)
    patience: Patience = field(default_factory=Patience)


class Run:
    """One run, resumed from its checkpoint if there is one; parameters as of `scarceseq.pretrain.training.train`."""

    def __init__(
        self,
        task: Task,
        base: Base,
        matrix: np.ndarray,
        rows: np.ndarray,
        validation_rows: np.ndarray,
        settings: PretrainSettings,
        seed: int,
        checkpoint: Checkpoint | None,
        events: Events | None,
        group: Group,
    ) -> None:
        self.task, self.matrix, self.rows, self.validation_rows = task, matrix, rows, validation_rows
        self.settings, self.seed, self.group, self.checkpoint = settings, seed, group, checkpoint
        self.device = base.mean.device
        self.dtype = choose_dtype(settings.precision, self.device)
        self.standardise = standardiser(base.mean, base.scale, self.dtype)
        self.events = (events if group.is_first else None) or Events()
        self.optimiser = torch.optim.AdamW(
            task.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.pieces = cut_batch(settings.batch_samples, settings.samples_at_once, group.rank, group.size)
        self.state = State()
        self.best: dict[str, Tensor] = {}  # weights validated best, with early stopping
        self.saved_step: int | None = None
        self.names: list[str] = []  # of the losses
        self.unread: list[Tensor] = []  # losses of steps that are still on the device
        self._resume()

    def batches(self) -> Generator:
        """Rows and z-scores of each piece of each batch that is left, in order, read ahead of the computation."""
        done = self.state.step
        order = draw_batches(self.rows, self.settings.batch_samples, derive(self.seed, "batches"), first_batch=done)
        order = itertools.islice(order, self.settings.steps - done)
        of_pieces = (batch[piece.start : piece.stop] for batch in order for piece in self.pieces)
        return iter(Loader(self.matrix, of_pieces, self.device, self.standardise, self.rows))  # type: ignore[arg-type]

    def autocast(self) -> AbstractContextManager:
        """Context in which products are computed in the chosen format."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    def read_losses(self) -> None:
        """Fetch the losses of the last steps, the same in all processes, and judge them."""
        state, first = self.state, self.state.step - len(self.unread) + 1
        read = self.group.mean(torch.stack(self.unread)).tolist()
        self.unread = []
        for step, losses in enumerate(read, start=first):
            state.recent.append(dict(zip(self.names, losses, strict=True)))
            state.watch.check(state.recent[-1]["loss"], step, self.settings, self._what_is_kept())
        means = {name: float(np.mean([losses[i] for losses in read])) for i, name in enumerate(self.names)}
        rate = self.optimiser.param_groups[0]["lr"]
        self.events.write(state.step, {f"train/{name}": mean for name, mean in means.items()} | {"learning_rate": rate})

    def _what_is_kept(self) -> str:
        if self.saved_step is None or self.checkpoint is None:
            return ""
        return (
            f"; {self.checkpoint.path} keeps step {self.saved_step}, where an unchanged run goes on, "
            "while one with other settings starts anew"
        )

    def validate(self) -> None:
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
    def _validation_losses(self) -> dict[str, float]:
        """Losses over the validation rows by name, with masks that are the same each time; empty without rows."""
        rows, total = self.validation_rows, {}
        self.task.eval()
        starts = range(0, len(rows), VALIDATION_CHUNK_SAMPLES)
        for start in starts[self.group.rank :: self.group.size]:
            chunk = rows[start : start + VALIDATION_CHUNK_SAMPLES]
            values = torch.from_numpy(np.require(self.matrix[chunk], requirements="W")).to(self.device)
            mask_seed = derive(self.seed, "validation masks", start)
            mask = draw_mask(len(chunk), values.shape[1], self.settings.mask_share, mask_seed, self.device)
            with self.autocast():
                losses = self.task(Batch(chunk, self.standardise(values), mask))
            for name, loss in losses.items():
                total[name] = total.get(name, 0.0) + loss.item() * len(chunk) / len(rows)
        self.task.train()
        if len(rows) == 0:
            return {}
        sums = torch.tensor([total.get(name, 0.0) for name in self.names], dtype=torch.float64, device=self.device)
        return dict(zip(self.names, (self.group.mean(sums) * self.group.size).tolist(), strict=True))

    def take_best(self) -> None:
        """With early stopping, give the task the weights that were validated best."""
        if self.best:
            for name, parameter in self.task.named_parameters():
                parameter.data.copy_(self.best[name])

    def save(self) -> None:
        """Write the checkpoint, if there is to be one; of several processes the first does."""
        if self.checkpoint is None:
            return
        if self.group.is_first:
            tensors = {f"task.{name}": tensor for name, tensor in _named_tensors(self.task)}
            for place, moments in self.optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser.{place}.{key}": value for key, value in moments.items()}
            tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
            self.checkpoint.save(tensors, asdict(self.state))
        self.saved_step = self.state.step

    def _resume(self) -> None:
        """Take weights, moments and state from the checkpoint, if there is one of this run."""
        saved = self.checkpoint.load() if self.checkpoint else None
        if saved is None:
            return
        tensors, scalars = saved
        with torch.no_grad():
            for name, tensor in _named_tensors(self.task):
                tensor.copy_(tensors[f"task.{name}"])
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            kind, _, place = name.partition(".")
            if kind == "optimiser":
                index, key = place.split(".")
                moments.setdefault(int(index), {})[key] = tensor
            elif kind == "best":
                self.best[place] = tensor.to(self.device)
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": moments})
        watch, patience = LossWatch(**scalars.pop("watch")), Patience(**scalars.pop("patience"))
        self.state = State(**scalars, watch=watch, patience=patience)
        self.saved_step = self.state.step
        logger.info("resuming after step %d", self.state.step)


def _named_tensors(task: Task) -> list[tuple[str, Tensor]]:
    return [*task.named_parameters(), *task.named_buffers()]


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Format of activations; weights, their gradients and the optimiser stay float32.

    ``auto`` is bfloat16 where the device has instructions for it. A device that would have to emulate it gets float32,
    with a warning if bfloat16 was asked for.
    """
    if precision == "float32":
        return torch.float32
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    if not native:
        if precision == "bfloat16":
            logger.warning("this device does not compute in bfloat16: float32 is used")
        return torch.float32
    return torch.bfloat16
