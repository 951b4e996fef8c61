"""Principal components of as many samples as there are, in bounded memory."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

logger = logging.getLogger(__name__)

Reader = Callable[[np.ndarray], np.ndarray | torch.Tensor]
"""From row numbers to expression, (rows, genes)."""
# Up to so many samples are decomposed at once; more are read again and again in blocks of this size.
SAMPLES_AT_ONCE = 2048
SPARE_COMPONENTS = 20
PASSES = 12


@dataclass(frozen=True)
class Components:
    """Principal components."""

    centre: np.ndarray  # (genes,)
    axes: np.ndarray  # (components, genes): orthonormal, by falling variance, the largest entry of each positive
    variances: np.ndarray  # (components,), of the samples along the axes: sums divided by the number of samples
    total_variance: float  # over all genes

    def scores(self, expression: np.ndarray) -> np.ndarray:
        """Coordinates along the axes, (samples, components)."""
        return (expression - self.centre) @ self.axes.T


def fit_components(read: Reader, rows: np.ndarray, count: int, seed: int) -> Components:
    """Leading principal components.

    Exact, in double precision, for up to `SAMPLES_AT_ONCE` samples. For more, by subspace iteration over blocks of them
    (Halko, Martinsson and Tropp, SIAM Review 53 (2011), section 4.5), which reads each sample `PASSES` + 3 times.
    Blocks are multiplied in single precision on the device on which they are read; their sums are in double.

    `count` is lowered to samples - 1 and to the number of genes; `seed` is that of the start of the iteration.
    """
    blocks = [rows[start : start + SAMPLES_AT_ONCE] for start in range(0, len(rows), SAMPLES_AT_ONCE)]
    if len(blocks) == 1:
        values = np.asarray(on_processor(read(rows)), dtype=np.float64)
        centre = values.mean(axis=0)
        _, singular, axes = np.linalg.svd(values - centre, full_matrices=False)
        count = min(count, len(rows) - 1, values.shape[1])
        return _signed(centre, axes[:count], singular[:count] ** 2 / len(rows), (singular**2).sum() / len(rows))

    progress = _Passes(len(rows), PASSES + 3)
    middle: Any = sum(_of_block(read, block).sum(dim=0, dtype=torch.float64) for block in blocks) / len(rows)
    progress.log()
    total = sum((_of_block(read, block) - middle.float()).square_().sum(dtype=torch.float64) for block in blocks)
    progress.log()
    count = min(count, len(middle))
    width = min(count + SPARE_COMPONENTS, len(middle))
    basis = torch.from_numpy(np.random.default_rng(seed).normal(size=(len(middle), width))).to(middle.device)
    for _ in range(PASSES):
        basis = torch.linalg.qr(_covariance_times(read, blocks, middle, basis))[0]
        progress.log()
    small = (basis.T @ _covariance_times(read, blocks, middle, basis) / len(rows)).cpu().numpy()
    progress.log()
    variances, turn = np.linalg.eigh((small + small.T) / 2)
    leading = np.argsort(variances)[::-1][:count]
    axes = (basis.cpu().numpy() @ turn[:, leading]).T
    return _signed(middle.cpu().numpy(), axes, variances[leading], float(total) / len(rows))


def in_blocks(function: Callable[[np.ndarray], np.ndarray], read: Reader, rows: np.ndarray) -> np.ndarray:
    """What `function` makes of the expression of `rows`, `SAMPLES_AT_ONCE` at a time, one under the other."""
    made = np.empty(0)
    for start in range(0, len(rows), SAMPLES_AT_ONCE):
        values = function(on_processor(read(rows[start : start + SAMPLES_AT_ONCE])))
        if start == 0:  # one array for all: see `scarceseq.pretrain.embedding.embed_rows`
            made = np.empty((len(rows), *values.shape[1:]), values.dtype)
        made[start : start + SAMPLES_AT_ONCE] = values
    return made


class _Passes:
    """Says how far the passes over many samples are."""

    def __init__(self, samples: int, passes: int) -> None:
        self.samples, self.passes, self.done, self.start = samples, passes, 0, time.monotonic()

    def log(self) -> None:
        self.done += 1
        left = (time.monotonic() - self.start) / self.done * (self.passes - self.done)
        logger.info(
            "components of %d samples: pass %d of %d, about %.0f s left", self.samples, self.done, self.passes, left
        )


def on_processor(values: np.ndarray | torch.Tensor) -> np.ndarray:
    """An array as numpy's, from whatever device."""
    return values.cpu().numpy() if isinstance(values, torch.Tensor) else values


def _of_block(read: Reader, block: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(read(block)).float()


def _covariance_times(
    read: Reader, blocks: list[np.ndarray], centre: torch.Tensor, basis: torch.Tensor
) -> torch.Tensor:
    product, centre, single = torch.zeros_like(basis), centre.float(), basis.float()
    for block in blocks:
        values = _of_block(read, block) - centre
        product += values.T @ (values @ single)
    return product


def _signed(centre: np.ndarray, axes: np.ndarray, variances: np.ndarray, total: float) -> Components:
    largest = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(len(axes)), largest])
    return Components(centre, axes * signs[:, None], variances, float(total))
