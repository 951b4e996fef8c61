"""Probabilistic PCA as an imputer: the fair linear rival of a masked autoencoder.

Tipping and Bishop, Probabilistic principal component analysis, J. R. Stat. Soc. B 61 (1999) 611-622.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from scarceseq.pretrain.components import Components


@dataclass(frozen=True)
class ProbabilisticPCA:
    """Gaussian with mean ``centre`` and covariance ``loadings @ loadings.T + noise * I``."""

    centre: np.ndarray  # (genes,)
    loadings: np.ndarray  # (genes, components)
    noise: float  # variance per gene outside the components

    def impute(self, expression: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Mean of the masked genes given the others, which alone are read.

        Arrays are (samples, genes). The reconstruction, float64, is of every gene; only its masked entries are a
        prediction.
        """
        ridge = self.noise * np.eye(self.loadings.shape[1])
        imputed = np.empty(expression.shape)
        return _impute(imputed, expression, mask, self.centre, self.loadings, ridge, np.linalg.solve)

    def impute_on_device(self, expression: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The same as `impute`, of tensors and on their device."""
        given: Any = {"dtype": torch.float64, "device": expression.device}
        centre, loadings = (torch.as_tensor(array, **given) for array in (self.centre, self.loadings))
        ridge = self.noise * torch.eye(loadings.shape[1], **given)
        imputed = torch.empty(expression.shape, **given)
        return _impute(imputed, expression.double(), mask, centre, loadings, ridge, torch.linalg.solve)


def _impute(
    imputed: Any, expression: Any, mask: Any, centre: Any, loadings: Any, ridge: Any, solve: Callable[..., Any]
) -> Any:
    """Fill `imputed` sample by sample; the arrays are numpy's or torch's, and `solve` is theirs."""
    for row, (values, hidden) in enumerate(zip(expression, mask, strict=True)):
        seen = loadings[~hidden]
        scores = solve(seen.T @ seen + ridge, seen.T @ (values[~hidden] - centre[~hidden]))
        imputed[row] = centre + loadings @ scores
    return imputed


def probabilistic_pca(fit: Components, components: int) -> ProbabilisticPCA:
    """Maximum-likelihood fit from so many leading components of the samples, at most genes - 1."""
    genes = len(fit.centre)
    components = max(min(components, len(fit.variances), genes - 1), 1)
    variances = fit.variances[:components]
    noise = max((fit.total_variance - variances.sum()) / (genes - components), 1e-8)
    strength = np.sqrt(np.maximum(variances - noise, 0.0))
    return ProbabilisticPCA(fit.centre, fit.axes[:components].T * strength, float(noise))
