"""Masks: which genes of which samples the network must reconstruct from the others."""

import torch


def draw_mask(samples, genes, share, generator):
    """Boolean mask, (samples, genes), in which each entry is hidden independently.

    Parameters
    ----------
    samples, genes : int
    share : float
        Probability of being hidden, in (0, 1).
    generator : torch.Generator
        The mask is on the generator's device.
    """
    return torch.rand((samples, genes), generator=generator, device=generator.device) < share


def hide(expression, mask):
    """z-scores with masked genes at 0, their mean, and the others scaled up by genes / seen genes.

    So sums over genes stay what they are without a mask, whatever its share; a sample of which nothing is seen
    is all 0.
    """
    seen = (~mask).sum(dim=1, keepdim=True)
    return expression.masked_fill(mask, 0.0) * (mask.shape[1] / seen.clamp_min(1))
