"""Batches as the task gets them: z-scores on the device that computes, masks, noise."""

from collections.abc import Callable

import numpy as np
import torch

from scarceseq.corpus.transform import NOT_MEASURED
from scarceseq.pretrain.masking import cached_rows, fill_mask, fill_noise, fill_part
from scarceseq.pretrain.settings import PretrainSettings
from scarceseq.pretrain.task import Batch
from scarceseq.seeds import derive


def cut_batch(batch_samples: int, samples_at_once: int = 0, rank: int = 0, size: int = 1) -> list[range]:
    """Places in a batch that process `rank` of `size` computes one after the other.

    Those of all processes are disjoint and cover the batch of `batch_samples`. A range has at most `samples_at_once`
    samples; 0 takes the share of a process whole.
    """
    start, stop = (batch_samples * number // size for number in (rank, rank + 1))
    step = samples_at_once or max(stop - start, 1)
    return [range(first, min(first + step, stop)) for first in range(start, stop, step)]


def standardiser(mean: torch.Tensor, scale: torch.Tensor, dtype: torch.dtype) -> Callable[[torch.Tensor], torch.Tensor]:
    """Function from log2(TPM + 1), (samples, genes), to z-scores of type `dtype`; 0 where not measured.

    `mean` and `scale`, (genes,), are on the device that computes.
    """
    factor = 1 / scale
    shift = -mean * factor

    def standardise(values: torch.Tensor) -> torch.Tensor:
        standardised = torch.empty(values.shape, dtype=dtype, device=values.device)
        for rows in cached_rows(values):
            torch.addcmul(shift, values[rows], factor, out=standardised[rows])
            standardised[rows].masked_fill_(values[rows] == NOT_MEASURED, 0.0)
        return standardised

    return standardise


def make_batch(
    samples: np.ndarray, expression: torch.Tensor, part: range, settings: PretrainSettings, seed: int
) -> Batch:
    """The samples at some places of a batch: what is hidden is drawn from the step's seed, however the batch is cut.

    `samples` are rows of the training matrix, `expression` their z-scores, (samples, genes).
    """
    mask, noise = torch.empty(expression.shape, dtype=torch.bool, device=expression.device), None
    _fill(mask, fill_mask, settings.mask_share, part, settings, derive(seed, "mask"))
    if settings.input_noise:
        noise = torch.empty_like(expression)
        _fill(noise, fill_noise, settings.input_noise, part, settings, derive(seed, "noise"))
    return Batch(samples, expression, mask, noise)


def _fill(
    drawn: torch.Tensor,
    fill: Callable[[torch.Tensor, float, int], None],
    amount: float,
    part: range,
    settings: PretrainSettings,
    seed: int,
) -> None:
    fill_part(drawn, lambda rows, block_seed: fill(rows, amount, block_seed), part, settings.batch_samples, seed)
