"""What the network is trained for: the losses of a batch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from scarceseq import registry
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.samples import LabelledMatrix
from scarceseq.pretrain.settings import PretrainSettings
from scarceseq.seeds import derive


@dataclass(frozen=True)
class Batch:
    """Samples as the network is given them."""

    samples: np.ndarray  # int, (samples,): rows of the training matrix
    expression: torch.Tensor  # (samples, genes), z-scores
    mask: torch.Tensor  # bool, (samples, genes): genes that the network must not see
    noise: torch.Tensor | None = None  # (samples, genes), added to what the network sees


@dataclass(frozen=True)
class View:
    """A batch after its pass through the network, as the objectives see it."""

    rows: torch.Tensor  # int64, (samples,), of the training matrix
    expression: torch.Tensor  # (samples, genes), z-scores without noise
    mask: torch.Tensor  # what of them was hidden
    embedding: torch.Tensor  # (samples, width)
    reconstruction: torch.Tensor | None  # z-scores, (samples, genes); None if no objective reads it


class Task(nn.Module):
    """The network together with what it is trained for; its parameters are all that training changes.

    `objectives` are modules of entries of ``pretrain/objectives``, `weights` theirs in the sum that is minimised;
    `reconstructs` says whether one of them reads the reconstruction.
    """

    def __init__(
        self, network: nn.Module, objectives: dict[str, nn.Module], weights: dict[str, float], reconstructs: bool = True
    ) -> None:
        super().__init__()
        self.reconstructs = reconstructs
        self.network = network
        self.objectives = nn.ModuleDict(objectives)
        self.weights = dict(weights)

    def view(self, batch: Batch) -> View:
        """Pass a batch through the network."""
        seen = batch.expression + batch.noise if batch.noise is not None else batch.expression
        embedding, reconstruction = self.network.outputs(seen, batch.mask, self.reconstructs)
        rows = torch.as_tensor(batch.samples, dtype=torch.int64, device=batch.expression.device)
        return View(rows, batch.expression, batch.mask, embedding, reconstruction)

    def forward(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Losses by name; ``loss``, their weighted sum, is what is minimised.

        Each is a mean over the batch's samples, so that the mean over equal parts of a batch is that of the batch.
        """
        view = self.view(batch)
        losses = {name: objective(view).mean() for name, objective in self.objectives.items()}
        return {"loss": sum(self.weights[name] * loss for name, loss in losses.items()), **losses}


def make_task(base: Base, matrix: LabelledMatrix, rows: np.ndarray, settings: PretrainSettings, seed: int) -> Task:
    """The task of a base model: its network and the objectives of its config, on the base's device.

    Batches name rows of `matrix`; what objectives fit or count is of the samples of `rows`, which are trained on,
    alone. `seed` is that of the initial weights of the objectives' own heads.
    """
    modules, weights, read = {}, {}, set()
    for name, options in sorted(settings.objectives.items()):
        entry = registry.load("pretrain.objectives", name)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "objective", name))
            modules[name] = entry.build(base, matrix, rows, options)
        weights[name] = options["weight"]
        read.add(entry.READS)
    reconstructs = "reconstruction" in read
    if not reconstructs:  # what only the reconstruction needs would get no gradient
        for name, parameter in base.network.named_parameters():
            parameter.requires_grad_(name.startswith("encoder."))
    return Task(base.network, modules, weights, reconstructs).to(base.mean.device)
