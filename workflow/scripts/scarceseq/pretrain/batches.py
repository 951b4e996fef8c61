"""Batches as the task gets them: z-scores on the device that computes, masks, noise."""

from collections.abc import Callable

import numpy as np
import torch

from scarceseq.corpus.transform import NOT_MEASURED
from scarceseq.pretrain.masking import cached_rows, fill_mask, fill_noise, fill_places
from scarceseq.pretrain.settings import PretrainSettings
from scarceseq.pretrain.task import Batch
from scarceseq.seeds import derive


def cut_batch(batch_samples: int, samples_at_once: int = 0, rank: int = 0, size: int = 1) -> list[range]:
    """Places in a batch that process `rank` of `size` computes one after the other.

    Those of all processes are disjoint and cover the batch of `batch_samples`. A range has at most `samples_at_once`
    samples; 0 takes the share of a process whole.
    """
    start, stop = batch_samples * rank // size, batch_samples * (rank + 1) // size
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
    samples: np.ndarray, expression: torch.Tensor, places: range, settings: PretrainSettings, seed: int
) -> Batch:
    """The samples at some places of a batch: what is hidden is drawn from the step's seed, however the batch is cut.

    `samples` are rows of the training matrix, `expression` their z-scores, (samples, genes).
    """
    size, noise = settings.batch_samples, None
    mask = torch.empty(expression.shape, dtype=torch.bool, device=expression.device)
    fill_places(mask, lambda rows, seed: fill_mask(rows, settings.mask_share, seed), places, size, derive(seed, "mask"))
    if settings.input_noise:
        noise, deviation = torch.empty_like(expression), settings.input_noise
        fill_places(noise, lambda rows, seed: fill_noise(rows, deviation, seed), places, size, derive(seed, "noise"))
    return Batch(samples, expression, mask, noise)
