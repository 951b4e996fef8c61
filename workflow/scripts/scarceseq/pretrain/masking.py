"""Masks and noise: what of each sample the network does not see in training.

They are drawn for blocks of samples of a batch, each from a seed of its own. So they depend neither on the number of
processes that share a batch nor on how many samples are computed at once, and a resumed run needs no generator's state.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from scarceseq.seeds import derive

BLOCK_SAMPLES = 256
LEVELS = 256  # of a random byte
CACHED_SAMPLES = 64  # whose values stay in the processor's cache between two passes


def draw_mask(samples: int, genes: int, share: float, seed: int, device: str | torch.device = "cpu") -> torch.Tensor:
    """Boolean mask, (samples, genes), of one block; see `fill_mask`."""
    mask = torch.empty((samples, genes), dtype=torch.bool, device=device)
    fill_mask(mask, share, seed)
    return mask


def fill_mask(mask: torch.Tensor, share: float, seed: int) -> None:
    """Hide each entry of `mask`, bool, independently of the others.

    A random byte per entry is compared with a threshold, which is several times as fast as a uniform number. Devices
    differ in what they draw. `share`, in (0, 1), is rounded to 1/256, but neither to 0 nor to 1.
    """
    limit = min(max(round(share * LEVELS), 1), LEVELS - 1)
    if mask.device.type == "cpu":
        words = np.random.SFC64(seed).random_raw(-(-mask.numel() // 8))
        np.less(words.view(np.uint8)[: mask.numel()].reshape(mask.shape), np.uint8(limit), out=mask.numpy())
    else:
        generator = torch.Generator(mask.device).manual_seed(seed)
        drawn = torch.empty(mask.shape, dtype=torch.uint8, device=mask.device).random_(generator=generator)
        torch.lt(drawn, limit, out=mask)


def fill_noise(noise: torch.Tensor, deviation: float, seed: int) -> None:
    """Draw Gaussian noise of mean 0 into `noise`, (samples, genes)."""
    noise.normal_(0.0, deviation, generator=torch.Generator(noise.device).manual_seed(seed))


def fill_places(
    drawn: torch.Tensor, fill: Callable[[torch.Tensor, int], None], places: range, batch_samples: int, seed: int
) -> None:
    """Fill rows, (places, genes), with what is drawn for some places of a batch.

    ``fill(rows, seed)`` fills the rows of one block. The batch, of `batch_samples`, is drawn in blocks of
    `BLOCK_SAMPLES`, and of these only those that `places` meet.
    """

    def fill_block(start: int) -> None:
        stop, block_seed = min(start + BLOCK_SAMPLES, batch_samples), derive(seed, start // BLOCK_SAMPLES)
        first, last = max(start, places.start), min(stop, places.stop)
        place = drawn[first - places.start : last - places.start]
        if last - first == stop - start:
            fill(place, block_seed)
        else:
            block = drawn.new_empty((stop - start, *drawn.shape[1:]))
            fill(block, block_seed)
            place.copy_(block[first - start : last - start])

    starts = range(places.start // BLOCK_SAMPLES * BLOCK_SAMPLES, places.stop, BLOCK_SAMPLES)
    if drawn.device.type == "cpu" and len(starts) > 1 and torch.get_num_threads() > 1:
        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            list(threads.map(fill_block, starts))
    else:
        for start in starts:
            fill_block(start)


def count_rows(mask: torch.Tensor) -> torch.Tensor:
    """How many entries of each row are true, (samples, 1), float64; at least 1."""
    if mask.device.type == "cpu":  # torch would first make whole numbers of all entries
        counted = torch.tensor([np.count_nonzero(row) for row in mask.numpy()])
    else:
        counted = mask.sum(dim=1)
    return counted.to(torch.float64).clamp_min(1).unsqueeze(1)


def as_factors(mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A mask as numbers 0 and 1, (samples, genes).

    Multiplying by them is vectorised on the processor and ten times as fast as choosing by a mask.
    """
    return mask.view(torch.uint8).to(dtype)


def hide(expression: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """z-scores with masked genes at 0, their mean, and the others scaled up by genes / seen genes.

    So sums over genes stay what they are without a mask, whatever its share; a sample of which nothing is seen
    is all 0.
    """
    seen = ~mask
    scale = mask.shape[1] / count_rows(seen)
    # in the type of the factors: with another, each of them would be converted forth and back
    return as_factors(seen, expression.dtype).mul_(scale.to(expression.dtype)).mul_(expression)


def cached_rows(values: torch.Tensor) -> list[slice]:
    """Slices of the rows of `values`, (samples, genes), in order, such that what lies between two passes stays cached.

    Devices but the processor take all rows at once.
    """
    together = CACHED_SAMPLES if values.device.type == "cpu" else max(len(values), 1)
    return [slice(start, start + together) for start in range(0, len(values), together)]
