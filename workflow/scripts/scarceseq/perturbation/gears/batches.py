"""What training steps learn from, one class per mode: batches of cells, or of whole perturbations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from scarceseq.errors import InputError
from scarceseq.perturbation.gears.loss import cell_weights
from scarceseq.perturbation.gears.moments import ScreenMoments, dense, expected_weights
from scarceseq.perturbation.gears.rows import Rows, distinct_rows, weighted_rows
from scarceseq.perturbation.gears.settings import TrainingSettings
from scarceseq.seeds import derive

if TYPE_CHECKING:  # training imports torch and numpy alone
    from scipy import sparse


@dataclass(frozen=True)
class Batch:
    """One training step for every member.

    Moments are the mean of the difference to control, and its second, third and fourth central moment where it varies;
    each (members, cells or perturbations, genes).
    """

    rows: Rows
    weight: torch.Tensor  # (members, cells or perturbations, genes or 1), of each term of the loss
    moments: tuple
    measured: tuple | None = None  # control cells and cells, for the direction term


@dataclass(frozen=True)
class Place:
    """Where and how precisely numbers are held."""

    device: torch.device
    dtype: torch.dtype = torch.float32

    def tensor(self, values: np.ndarray) -> torch.Tensor:
        """An array of numbers as a tensor."""
        return torch.from_numpy(np.asarray(values)).to(self.device, self.dtype)

    def positions(self, values: np.ndarray) -> torch.Tensor:
        """An array of positions as a tensor."""
        return torch.from_numpy(np.asarray(values)).to(self.device)


class CellBatches:
    """Mini-batches of cells, for the modes ``reference`` and ``corrected``.

    Parameters
    ----------
    expression : array or scipy CSR matrix, shape (cells, genes)
        Log-normalised; rows are read as they are needed.
    condition, batch : numpy.ndarray of int, shape (cells,)
        0 is control; the experimental batch.
    screen : scarceseq.perturbation.gears.moments.ScreenMoments
        Of the same cells or of more.
    seeds : list of int
        Of the order of cells, one per member. The pairing of the reference is the first member's.
    rows : numpy.ndarray of int, optional
        Cells to train on; all by default.
    """

    def __init__(
        self,
        expression: "np.ndarray | sparse.csr_matrix",
        condition: np.ndarray,
        screen: ScreenMoments,
        settings: TrainingSettings,
        seeds: Sequence[int],
        place: Place,
        batch: np.ndarray | None = None,
        rows: np.ndarray | None = None,
    ) -> None:
        self.expression, self.condition, self.place, self.settings = expression, condition, place, settings
        self.seeds = seeds
        self.rows = np.arange(len(condition)) if rows is None else rows
        if len(self.rows) < settings.batch:
            raise InputError(
                f"GEARS: {len(self.rows)} training cells do not fill a batch of {settings.batch}; make batch smaller"
            )
        self.steps = len(self.rows) // settings.batch
        counts = screen.expressed.sum(axis=1, keepdims=True)
        self.kept = place.tensor(screen.expressed / np.maximum(counts, 1))
        self.mean_control = place.tensor(screen.mean_control)
        self.reference = settings.mode == "reference"
        if self.reference:
            self.partner = pair_with_controls(condition, derive(seeds[0], "control pairs"))
        else:
            self.batch = np.zeros(len(condition), dtype=int) if batch is None else batch
            self.control = [place.tensor(array) for array in screen.control.arrays()]

    def epoch(self, index: int, first: int = 0) -> Iterator[Batch]:
        """Batches of one pass through the cells in random order, from step `first`; what fills no batch is left out."""
        orders = [np.random.default_rng(derive(seed, "cells", index)).permutation(self.rows) for seed in self.seeds]
        size = self.settings.batch
        for step in range(first, self.steps):
            yield self.batch_of(np.stack([order[step * size : (step + 1) * size] for order in orders]))

    def batch_of(self, cells: np.ndarray) -> Batch:
        """The batch of some cells, (members, cells)."""
        condition = self.place.positions(self.condition[cells])
        rows = distinct_rows(condition, first_alone=self.reference)
        weight, expression = cell_weights(condition, self.kept), self.read(cells)
        if self.reference:
            control = self.read(self.partner[cells])
            return Batch(rows, weight, (expression - control,), (control, expression))
        batch = self.place.positions(self.batch[cells])
        mean, second, third, fourth = (moment[batch] for moment in self.control)
        return Batch(rows, weight, (expression - mean, second, -third, fourth))

    def read(self, cells: np.ndarray) -> torch.Tensor:
        """Expression, (members, cells, genes)."""
        return self.place.tensor(dense(self.expression, cells.ravel())).view(*cells.shape, -1)


def pair_with_controls(condition: np.ndarray, seed: int) -> np.ndarray:
    """Row of the control cell that each cell is compared with, drawn once; control cells are their own."""
    controls = np.flatnonzero(condition == 0)
    if not len(controls):
        raise InputError("GEARS: there are no control cells to pair with; check the screen's key control")
    drawn = np.random.default_rng(seed).choice(controls, size=len(condition))
    return np.where(condition == 0, np.arange(len(condition)), drawn)


class MomentBatches:
    """All cells of a perturbation at once, for the mode ``moments``.

    Control is in every batch, as it practically is in every batch of the reference: normalisation would swing with it.

    Parameters
    ----------
    conditions : numpy.ndarray of int
        To train on, control first; positions in the screen's table.
    seeds : list of int
        Of the order of perturbations, one per member.
    reference_batch : int
        Batch of cells whose expected weights ``reference-expected`` has.
    """

    def __init__(
        self,
        conditions: np.ndarray,
        screen: ScreenMoments,
        settings: TrainingSettings,
        seeds: Sequence[int],
        place: Place,
        reference_batch: int = 32,
    ) -> None:
        if conditions[0] != 0 or len(conditions) < 2:
            raise InputError("GEARS: the mode moments trains on control, which comes first, and on perturbations")
        self.seeds, self.place, self.settings = seeds, place, settings
        self.conditions = place.positions(conditions)
        count = len(conditions)
        self.size = min(settings.batch, count - 1) or count - 1
        self.steps = settings.steps_per_epoch or (count - 1) // self.size
        if settings.weights == "uniform":
            weight = share = np.full(count, 1 / count)
        elif settings.weights == "reference-expected":
            weight = expected_weights(screen.cells[conditions], reference_batch)
            share = screen.cells[conditions] / screen.cells[conditions].sum()
        else:
            raise InputError(f"GEARS: weights '{settings.weights}' is none of uniform, reference-expected")
        expressed = screen.expressed[conditions]
        per_gene = weight[:, None] * expressed / np.maximum(expressed.sum(axis=1, keepdims=True), 1)
        self.weight, self.share = place.tensor(per_gene), place.tensor(share)
        self.moments = [place.tensor(array[conditions]) for array in screen.difference.arrays()]

    def epoch(self, index: int, first: int = 0) -> Iterator[Batch]:
        """Batches of control and perturbations from step `first`: all, or parts in an order drawn anew each time."""
        perturbations, members = len(self.conditions) - 1, len(self.seeds)
        steps_of_order = perturbations // self.size
        for step in range(self.steps):
            if step % steps_of_order == 0:
                keys = [derive(seed, "perturbations", index, step) for seed in self.seeds]
                orders = np.stack([1 + np.random.default_rng(key).permutation(perturbations) for key in keys])
            chosen = orders[:, step % steps_of_order * self.size :][:, : self.size]
            chosen = np.concatenate([np.zeros((members, 1), dtype=int), np.sort(chosen, axis=1)], axis=1)
            if step >= first:
                yield self.batch_of(self.place.positions(chosen))

    def batch_of(self, chosen: torch.Tensor) -> Batch:
        """The batch of control and some perturbations, (members, rows); its expected loss is that of all."""
        factor = torch.where(chosen > 0, (len(self.conditions) - 1) / (chosen.shape[1] - 1), 1.0).to(self.share)
        share = self.share[chosen] * factor
        rows = weighted_rows(self.conditions[chosen], share / share.sum(dim=1, keepdim=True))
        weight = self.weight[chosen] * factor[..., None]
        return Batch(rows, weight, tuple(moment[chosen] for moment in self.moments))
