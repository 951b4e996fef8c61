"""Forms that a guide can be given before it is used: the options of the published library, by its own names.

RobotsGoMental/guided_transfer_learning_library (2024) calls the first step focus and the second temperature. Written
anew from its documented behaviour; where code and documentation differ, as the code does.
"""

import math

import torch


def min_max(values: torch.Tensor, least: torch.Tensor, most: torch.Tensor) -> torch.Tensor:
    """(m - least) / (most - least); without a range, 1 if it values and 0 if not."""
    if most > least:
        return (values - least) / (most - least)
    return torch.full_like(values, float(most > 0))


def by_maximum(values: torch.Tensor, least: torch.Tensor, most: torch.Tensor) -> torch.Tensor:
    """m / most; 0 if nothing values."""
    return values / most if most > 0 else torch.zeros_like(values)


def from_minimum(values: torch.Tensor, least: torch.Tensor, most: torch.Tensor) -> torch.Tensor:
    """m - least."""
    return values - least


def raw(values: torch.Tensor, least: torch.Tensor, most: torch.Tensor) -> torch.Tensor:
    """m as it is."""
    return values.clone()


NORMALISATIONS = {"min_max": min_max, "by_maximum": by_maximum, "from_minimum": from_minimum, "raw": raw}


def room(guide: torch.Tensor) -> torch.Tensor:
    """As it is."""
    return guide


def chilly(guide: torch.Tensor) -> torch.Tensor:
    """Minus its least value."""
    return guide - guide.min()


def icy(guide: torch.Tensor) -> torch.Tensor:
    """max(0, 2 g - 1): what lies in the lower half of [0, 1] does not move."""
    return (2 * guide - 1).clamp_min(0)


def freezing(guide: torch.Tensor) -> torch.Tensor:
    """1 for the highest hundredth of the values (one at least, with ties), 0 for the others; also called step."""
    count = max(math.ceil(guide.numel() / 100), 1)
    border = guide.flatten().kthvalue(guide.numel() - count + 1).values
    return (guide >= border).to(guide.dtype)


def warm(guide: torch.Tensor) -> torch.Tensor:
    """g / 2 + 1 / 2: nothing is slower than half."""
    return 0.5 * guide + 0.5


def evaporating(guide: torch.Tensor) -> torch.Tensor:
    """g / 4 + 1: everything moves, mobile weights up to a quarter faster than without a guide."""
    return 0.25 * guide + 1.0


TEMPERATURES = {
    "room": room,
    "chilly": chilly,
    "icy": icy,
    "freezing": freezing,
    "step": freezing,
    "warm": warm,
    "evaporating": evaporating,
}


def adjusted(
    guide: dict[str, torch.Tensor], temperature: str = "room", scale: float = 1.0, sparse_below: float = 0.0
) -> dict[str, torch.Tensor]:
    """A normalised guide at a temperature of `TEMPERATURES`, times `scale`, 0 below `sparse_below`; float32."""
    result = {}
    for name, values in guide.items():
        values = TEMPERATURES[temperature](values) * scale
        result[name] = torch.where(values < sparse_below, 0.0, values).float()
    return result
