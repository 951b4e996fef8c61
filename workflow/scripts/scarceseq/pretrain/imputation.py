"""Probabilistic PCA as an imputer: the fair linear rival of a masked autoencoder.

Tipping and Bishop, Probabilistic principal component analysis, J. R. Stat. Soc. B 61 (1999) 611-622.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ProbabilisticPCA:
    """Gaussian with mean ``centre`` and covariance ``loadings @ loadings.T + noise * I``.

    Attributes
    ----------
    centre : numpy.ndarray, (genes,)
    loadings : numpy.ndarray, (genes, components)
    noise : float
        Variance per gene outside the components.
    """

    centre: np.ndarray
    loadings: np.ndarray
    noise: float

    def impute(self, expression, mask):
        """Mean of the masked genes given the others.

        Parameters
        ----------
        expression : numpy.ndarray, (samples, genes)
            Values under the mask are never read.
        mask : numpy.ndarray of bool, (samples, genes)

        Returns
        -------
        numpy.ndarray, (samples, genes), float64
            The reconstruction of every gene; only its masked entries are a prediction.
        """
        ridge = self.noise * np.eye(self.loadings.shape[1])
        imputed = np.empty(expression.shape)
        for row, (values, hidden) in enumerate(zip(expression, mask, strict=True)):
            seen = self.loadings[~hidden]
            scores = np.linalg.solve(seen.T @ seen + ridge, seen.T @ (values[~hidden] - self.centre[~hidden]))
            imputed[row] = self.centre + self.loadings @ scores
        return imputed


def fit_probabilistic_pca(expression, components):
    """Maximum-likelihood fit.

    Parameters
    ----------
    expression : numpy.ndarray, (samples, genes)
    components : int
        Lowered to what the samples can carry: at most samples - 2 and genes - 1.

    Returns
    -------
    ProbabilisticPCA
    """
    values = np.asarray(expression, dtype=np.float64)
    samples, genes = values.shape
    components = max(min(components, samples - 2, genes - 1), 1)
    centre = values.mean(axis=0)
    _, singular, axes = np.linalg.svd(values - centre, full_matrices=False)
    variances = singular**2 / samples
    noise = max(variances[components:].sum() / (genes - components), 1e-8)
    strength = np.sqrt(np.maximum(variances[:components] - noise, 0.0))
    return ProbabilisticPCA(centre, axes[:components].T * strength, float(noise))
