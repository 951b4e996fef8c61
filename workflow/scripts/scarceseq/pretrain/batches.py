"""Batches as the task gets them: z-scores on the device that computes, masks, noise."""

import torch

from scarceseq.pretrain.masking import draw_mask, draw_noise, draw_part
from scarceseq.pretrain.task import Batch
from scarceseq.seeds import derive

# Rows that the processor standardises together, so that what lies between two steps stays in its cache.
CACHED_SAMPLES = 64


def cut_batch(batch_samples, samples_at_once=0, rank=0, size=1):
    """The parts of a batch that one process computes one after the other.

    Parameters
    ----------
    batch_samples : int
        Of all processes together.
    samples_at_once : int
        At most so many samples to a part; 0 takes the share of a process whole.
    rank, size : int
        Number of this process, and of all.

    Returns
    -------
    list of range
        Places in the batch. Those of all processes are disjoint and cover it.
    """
    start, stop = (batch_samples * number // size for number in (rank, rank + 1))
    step = samples_at_once or max(stop - start, 1)
    return [range(first, min(first + step, stop)) for first in range(start, stop, step)]


def standardiser(mean, scale, dtype):
    """Function from log2(TPM + 1), (samples, genes), to z-scores of type `dtype`, in one pass.

    Parameters
    ----------
    mean, scale : torch.Tensor, (genes,)
        On the device that computes.
    dtype : torch.dtype
    """
    factor = 1 / scale
    shift = -mean * factor

    def standardise(values):
        standardised = torch.empty(values.shape, dtype=dtype, device=values.device)
        together = CACHED_SAMPLES if values.device.type == "cpu" else max(len(values), 1)
        for start in range(0, len(values), together):
            rows = slice(start, start + together)
            torch.addcmul(shift, values[rows], factor, out=standardised[rows])
        return standardised

    return standardise


def make_batch(samples, expression, part, settings, seed):
    """Part of a batch: what is hidden of it is drawn from the step's seed, however the batch is cut.

    Parameters
    ----------
    samples : numpy.ndarray of int, (samples,)
        Rows of the training matrix.
    expression : torch.Tensor, (samples, genes)
        z-scores.
    part : range
        Their places in the batch.
    settings : PretrainSettings
    seed : int
        Of the step.

    Returns
    -------
    scarceseq.pretrain.task.Batch
    """
    genes, device = expression.shape[1], expression.device

    def drawn(draw, amount, key):
        return draw_part(
            lambda count, block_seed: draw(count, genes, amount, block_seed, device),
            part,
            settings.batch_samples,
            derive(seed, key),
        )

    mask = drawn(draw_mask, settings.mask_share, "mask")
    noise = drawn(draw_noise, settings.input_noise, "noise") if settings.input_noise else 0.0
    return Batch(samples, expression, mask, noise)
