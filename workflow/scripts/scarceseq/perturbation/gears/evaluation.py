"""Errors of mean predictions, from one prediction per perturbation instead of one per cell."""

from collections.abc import Iterator

import numpy as np
import torch

from scarceseq.perturbation.gears.batches import CellBatches, MomentBatches
from scarceseq.perturbation.gears.model import Gears


def mean_errors(
    model: Gears,
    conditions: np.ndarray,
    difference: np.ndarray,
    counted: np.ndarray | None = None,
    alone_share: float = 0.0,
) -> torch.Tensor:
    """Mean squared error of the mean predicted profile of each condition.

    The mean prediction of a condition is the mean of the control cells that its cells are paired with, plus the
    predicted difference; so its error is that of the difference.

    Parameters
    ----------
    conditions : array of int, shape (conditions,)
    difference : array, shape (conditions, genes)
        Mean over cells of expression - paired control.
    counted : array of bool, shape (conditions, genes), optional
        Genes over which the mean is taken; all by default.
    alone_share : float or array, shape (conditions,)
        What part of a condition's cells receive no co-expression information: 0, but in the mode ``reference``, where
        all do that are not the first of their batch.

    Returns
    -------
    torch.Tensor, shape (members, conditions)
    """
    training = model.training
    places, device = torch.as_tensor(conditions), model.targets.device
    delta, _ = model.predict(places)
    share = torch.as_tensor(alone_share, device=device, dtype=delta.dtype).reshape(-1, 1)
    if bool((share > 0).any()):
        delta = (1 - share) * delta + share * model.predict(places, alone=True)[0]
    squared = (delta - torch.from_numpy(np.asarray(difference)).to(delta)).square()
    model.train(training)
    if counted is None:
        return squared.mean(dim=2)
    taken = torch.from_numpy(np.asarray(counted)).to(delta)
    return (squared * taken).sum(dim=2) / taken.sum(dim=1)


def paired_difference(batches: CellBatches, conditions: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Mean of expression - paired control of the cells of each condition, (conditions, genes), mode ``reference``.

    Rows are the cells to look among.
    """
    means = []
    for condition in conditions:
        cells = rows[batches.condition[rows] == condition]
        total = sum(block.sum(axis=0, dtype=np.float64) for block in _differences(batches, cells))
        means.append(total / len(cells))
    return np.stack(means)


def _differences(batches: CellBatches | MomentBatches, cells: np.ndarray, at_once: int = 256) -> Iterator[np.ndarray]:
    for start in range(0, len(cells), at_once):
        block = cells[None, start : start + at_once]
        yield (batches.read(block) - batches.read(batches.partner[block]))[0].cpu().numpy()
