"""What a model's reference studies look like, in little space: enough to fit principal components again elsewhere."""

import numpy as np
import torch

from scarceseq.pretrain.components import fit_components
from scarceseq.pretrain.model import Base


def reference_components(
    base: Base, expression: np.ndarray, rows: np.ndarray, count: int, seed: int
) -> dict[str, torch.Tensor]:
    """Principal components of the samples `rows` of log2(TPM + 1), as float32 tensors to be packed with the model.

    They are ``centre``, (genes,), and ``axes``, (components, genes), of z-scores, and ``variances``, (components,), of
    the samples along the axes, sums divided by the number of samples less one.
    """
    fit = fit_components(lambda chosen: base.standardise(expression[chosen]).cpu().numpy(), rows, count, seed)
    variances = fit.variances * len(rows) / (len(rows) - 1)
    arrays = {"centre": fit.centre, "axes": fit.axes, "variances": variances}
    return {name: torch.from_numpy(np.ascontiguousarray(array, np.float32)) for name, array in arrays.items()}


def stand_in(components: dict[str, torch.Tensor]) -> np.ndarray:
    """Samples with the very mean, principal components and variances along them of `reference_components`.

    They are z-scores, (2 x components, genes), float32: each axis forth and back from the centre, by as much as gives
    the variance.
    """
    centre, axes, variances = (components[name].double().numpy() for name in ("centre", "axes", "variances"))
    steps = axes * np.sqrt(variances * (2 * len(axes) - 1) / 2)[:, None]
    return np.concatenate([centre + steps, centre - steps]).astype(np.float32)
