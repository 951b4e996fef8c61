"""Effects of single genes, from which simple predictors of doubles are put together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scarceseq.perturbation.prior import Prior
from scarceseq.screen.combinations import genes_of, is_double


@dataclass(frozen=True)
class Singles:
    """What is learned."""

    effects: dict[str, np.ndarray]  # (columns,), measured, of each gene that was perturbed alone in the pool
    names: np.ndarray  # all perturbations
    mean: np.ndarray  # (columns,), of all training perturbations
    single_mean: np.ndarray  # (columns,), of those of one gene; of all, where there is none

    def of_genes(self, row: int, unseen: np.ndarray) -> np.ndarray:
        """Effect of each gene of a perturbation, (genes, columns); `unseen` for one without."""
        return np.array([self.effects.get(gene, unseen) for gene in genes_of(self.names[row])])


def prepare(prior: Prior) -> np.ndarray:
    """Names of all perturbations."""
    return prior.perturbations


def fit(delta: np.ndarray, rows: Sequence[int], names: np.ndarray) -> Singles:
    """Measured effects of single genes, and means."""
    single = np.array([not is_double(names[row]) for row in rows])
    effects = {names[row]: profile for row, profile, alone in zip(rows, delta, single, strict=True) if alone}
    mean = delta.mean(axis=0)
    return Singles(effects, names, mean, delta[single].mean(axis=0) if single.any() else mean)
