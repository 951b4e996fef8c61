"""From displacement to guide: a number, mostly in [0, 1], for each weight, by which its updates are multiplied."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from scarceseq.errors import InputError
from scarceseq.guide.adjustments import NORMALISATIONS, adjusted, min_max
from scarceseq.guide.settings import SchemeSettings

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
HISTOGRAM_BINS = 20


def per_tensor(
    displacement: dict[str, torch.Tensor], normalise: Callable[..., torch.Tensor] = min_max
) -> dict[str, torch.Tensor]:
    """Normalised within each tensor: by min-max, its least mobile weight gets 0, its most mobile 1; float64.

    The displacement is not negative. All of `scarceseq.guide.adjustments.NORMALISATIONS` but `raw` and `from_minimum`
    give values in [0, 1], also to tensors of equal values (or of one value).
    """
    return {name: normalise(values, values.min(), values.max()) for name, values in displacement.items()}


def over_all(
    displacement: dict[str, torch.Tensor], normalise: Callable[..., torch.Tensor] = min_max
) -> dict[str, torch.Tensor]:
    """Normalised over all tensors together; same form, and the same guard, as `per_tensor`."""
    least = min(values.min() for values in displacement.values())
    most = max(values.max() for values in displacement.values())
    return {name: normalise(values, least, most) for name, values in displacement.items()}


# Name of a guide's file: what it is made from, and over what it is normalised.
GUIDES = {"per_tensor": ("moved", per_tensor), "global": ("moved", over_all), "fisher": ("fisher", per_tensor)}


def make_guide(
    name: str, means: Mapping[str, dict[str, torch.Tensor]], settings: SchemeSettings
) -> dict[str, torch.Tensor]:
    """One of `GUIDES`, float32 by parameter name, from the means over scouts of the groups ``moved`` and ``fisher``.

    A head's tensors, if scouts decide on its updates, are those of one class.
    """
    group, make = GUIDES[name]
    guide = make(means[group], NORMALISATIONS[settings.normalisation])
    return adjusted(guide, settings.temperature, settings.scale, settings.sparse_below)


def check_scouts(outcomes: list[dict[str, Any]]) -> int:
    """How many scouts were kept, by ``kept`` of their outcomes; raises InputError if none was."""
    kept = sum(outcome["kept"] for outcome in outcomes)
    if kept == 0:
        best = max((outcome["held_out_accuracy"] for outcome in outcomes), default=0.0)
        raise InputError(
            f"guide: none of {len(outcomes)} scouts was kept (best held-out accuracy {best:.3f}); raise steps or "
            "learning_rate, or lower minimum_held_out_accuracy"
        )
    return kept


def describe(guide: dict[str, torch.Tensor]) -> dict[str, Any]:
    """Mean, quantiles and histogram over [0, 1] of each tensor of a guide, by parameter name.

    What lies above 1 counts in the histogram's last bin.
    """
    summary = {}
    for name, values in guide.items():
        values = values.double().flatten()
        ordered = values.sort().values
        positions = [round(share * (len(ordered) - 1)) for share in QUANTILES]
        summary[name] = {
            "weights": len(values),
            "mean": values.mean().item(),
            "quantiles": {str(share): ordered[at].item() for share, at in zip(QUANTILES, positions, strict=True)},
            "histogram": torch.histc(values.clamp_max(1.0), HISTOGRAM_BINS, 0.0, 1.0).int().tolist(),
        }
    return summary


def gene_mobility(guide: dict[str, torch.Tensor], genes: int) -> torch.Tensor:
    """Mean guide over each gene's weights into the network (every matrix with one column per gene), (genes,), float64.

    Raises InputError if no tensor is a matrix with one column per gene.
    """
    inputs = [values.double() for values in guide.values() if values.ndim == 2 and values.shape[1] == genes]
    if not inputs:
        raise InputError(f"guide: the encoder has no weight matrix over {genes} genes; gene mobility needs one")
    return torch.cat(inputs).mean(dim=0)
