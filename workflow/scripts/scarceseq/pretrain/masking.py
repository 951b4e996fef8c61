"""Masks and noise: what of each sample the network does not see in training.

They are drawn for blocks of samples of a batch, each from a seed of its own. So they depend neither on the number of
processes that share a batch nor on how many samples are computed at once, and a resumed run needs no generator's state.
"""

import numpy as np
import torch

from scarceseq.seeds import derive

BLOCK_SAMPLES = 256
LEVELS = 256  # of a random byte


def draw_mask(samples, genes, share, seed, device="cpu"):
    """Boolean mask, (samples, genes), in which each entry is hidden independently.

    A random byte per entry is compared with a threshold, which is several times as fast as a uniform number. Devices
    differ in what they draw.

    Parameters
    ----------
    samples, genes : int
    share : float
        Probability of being hidden, in (0, 1); rounded to 1/256, but neither to 0 nor to 1.
    seed : int
    device : torch.device
    """
    limit = min(max(round(share * LEVELS), 1), LEVELS - 1)
    if torch.device(device).type != "cpu":
        drawn = torch.empty((samples, genes), dtype=torch.uint8, device=device)
        return drawn.random_(generator=torch.Generator(device).manual_seed(seed)) < limit
    words = np.random.SFC64(seed).random_raw(-(-samples * genes // 8))
    drawn = words.view(np.uint8)[: samples * genes].reshape(samples, genes)
    return torch.from_numpy(drawn < np.uint8(limit))


def draw_noise(samples, genes, deviation, seed, device="cpu"):
    """Gaussian noise, (samples, genes), float32, of mean 0."""
    generator = torch.Generator(device).manual_seed(seed)
    return torch.randn((samples, genes), generator=generator, device=device).mul_(deviation)


def draw_part(draw, part, batch_samples, seed):
    """Rows `part` of what is drawn for a whole batch.

    Parameters
    ----------
    draw : callable
        ``draw(samples, seed)`` gives a tensor, (samples, ...).
    part : range
        Samples of the batch.
    batch_samples : int
        Samples of the whole batch, which is drawn in blocks of `BLOCK_SAMPLES`; of these only those that `part` meets.
    seed : int
        Of the batch.

    Returns
    -------
    torch.Tensor, (len(part), ...)
    """
    pieces = []
    for start in range(part.start // BLOCK_SAMPLES * BLOCK_SAMPLES, part.stop, BLOCK_SAMPLES):
        stop = min(start + BLOCK_SAMPLES, batch_samples)
        drawn = draw(stop - start, derive(seed, start // BLOCK_SAMPLES))
        pieces.append(drawn[max(part.start - start, 0) : part.stop - start])
    return torch.cat(pieces) if len(pieces) > 1 else pieces[0]


def as_factors(mask, dtype):
    """A mask as numbers 0 and 1, and how many of each row are 1.

    Multiplying by them is vectorised on the processor and ten times as fast as choosing by a mask.

    Returns
    -------
    factors : torch.Tensor of `dtype`, (samples, genes)
    count : torch.Tensor, (samples, 1)
        float32, or `dtype` if that is wider; at least 1.
    """
    factors = mask.view(torch.uint8).to(dtype)
    wide = torch.promote_types(dtype, torch.float32)
    return factors, torch.linalg.vector_norm(factors, ord=1, dim=1, keepdim=True, dtype=wide).clamp_min(1)


def hide(expression, mask):
    """z-scores with masked genes at 0, their mean, and the others scaled up by genes / seen genes.

    So sums over genes stay what they are without a mask, whatever its share; a sample of which nothing is seen
    is all 0.
    """
    seen, count = as_factors(~mask, expression.dtype)
    return expression * seen.mul_(mask.shape[1] / count)
