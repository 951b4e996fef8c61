"""Scores on the leading principal components of the pretrain and scout studies."""

import numpy as np

from scarceseq.fewshot.method import Source, Transform

NEEDS = ("reference",)


def prepare(source: Source) -> Transform:
    """Fit ``settings.pca_components`` on the reference; scores have unit variance there."""
    from sklearn.decomposition import PCA

    count = min(source.settings.pca_components, min(source.reference.shape) - 1)
    analysis = PCA(n_components=count, whiten=True, svd_solver="randomized", random_state=source.seed % 2**32)
    analysis.fit(source.reference.astype(np.float64))
    return lambda expression: analysis.transform(expression.astype(np.float64))
