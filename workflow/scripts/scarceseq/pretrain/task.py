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
    """Attributes
    ----------
    samples : numpy.ndarray of int, (samples,)
        Rows of the training matrix.
    expression : torch.Tensor, (samples, genes)
        z-scores.
    mask : torch.Tensor of bool, (samples, genes)
        Genes that the network must not see.
    noise : torch.Tensor, (samples, genes), or None
        Added to what the network sees.
    """

    samples: np.ndarray
    expression: torch.Tensor
    mask: torch.Tensor
    noise: torch.Tensor | None = None


@dataclass(frozen=True)
class View:
    """A batch after its pass through the network, as the objectives see it.

    Attributes
    ----------
    rows : torch.Tensor of int64, (samples,)
        Rows of the training matrix.
    expression, mask : torch.Tensor, (samples, genes)
        z-scores without noise, and what of them was hidden.
    embedding : torch.Tensor, (samples, width)
    reconstruction : torch.Tensor, (samples, genes), or None
        z-scores; None if no objective reads it.
    """

    rows: torch.Tensor
    expression: torch.Tensor
    mask: torch.Tensor
    embedding: torch.Tensor
    reconstruction: torch.Tensor | None


class Task(nn.Module):
    """The network together with what it is trained for; its parameters are all that training changes.

    Parameters
    ----------
    network : torch.nn.Module
        Of an entry of ``pretrain/architectures``.
    objectives : dict of str to torch.nn.Module
        Of entries of ``pretrain/objectives``.
    weights : dict of str to float
        Weight of each objective in the sum that is minimised.
    reconstructs : bool
        Whether an objective reads the reconstruction.
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

    Parameters
    ----------
    matrix : scarceseq.pretrain.samples.LabelledMatrix
        Batches name rows of it.
    rows : numpy.ndarray of int
        Samples that are trained on; what objectives fit or count is of these alone.
    seed : int
        Of the initial weights of the objectives' own heads.
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
