"""Samples on two axes, for looking at: principal components, and UMAP of them."""

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.seeds import derive

# Principal components that UMAP starts from, and its own default number of neighbours.
UMAP_COMPONENTS = 50
UMAP_NEIGHBOURS = 15


def choose_rows(rows: int, limit: int, seed: int) -> np.ndarray:
    """Sorted indices of at most `limit` of `rows` rows, drawn without replacement from `seed`."""
    if rows <= limit:
        return np.arange(rows)
    generator = np.random.default_rng(derive(seed, "report", "projection"))
    return np.sort(generator.choice(rows, size=limit, replace=False))


def principal_components(expression: np.ndarray, components: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Scores (samples, components) on the first principal components of centred genes, by the samples' Gram matrix.

    `expression` is log2(TPM + 1), (samples, genes), not scaled. The sign is such that the largest score in size is
    positive. The second value is each component's share of the total variance.
    """
    centred = np.asarray(expression, dtype=np.float64)
    centred = centred - centred.mean(axis=0)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    order = np.argsort(values)[::-1][:components]
    values_kept = np.clip(values[order], 0, None)
    scores = vectors[:, order] * np.sqrt(values_kept)
    peaks = np.abs(scores).argmax(axis=0)
    scores = scores * np.where(scores[peaks, np.arange(scores.shape[1])] < 0, -1, 1)
    total = np.clip(values, 0, None).sum()
    return scores, values_kept / total if total > 0 else np.zeros(len(order))


def umap(scores: np.ndarray, seed: int) -> np.ndarray:
    """Places (samples, 2) by UMAP (McInnes, Healy and Melville, arXiv:1802.03426), the same for the same seed on one
    machine.

    `scores` (samples, components) are principal components, which are also where it starts from. Raises InputError if
    the package is not installed.
    """
    if len(scores) < 4:
        return scores[:, :2]
    try:
        from umap import UMAP
    except ImportError as error:
        raise InputError(
            "config key report.embedding: umap needs the package umap-learn; install it or take pca"
        ) from error
    start = scores[:, :2] / max(np.abs(scores[:, :2]).max(), 1e-12) * 10
    model = UMAP(
        n_neighbors=min(UMAP_NEIGHBOURS, len(scores) - 1),
        init=start,
        random_state=derive(seed, "report", "umap") % 2**32,
        n_jobs=1,
    )
    return model.fit_transform(np.ascontiguousarray(scores, dtype=np.float32))


def share_between(scores: np.ndarray, groups: pd.Series | np.ndarray) -> np.ndarray:
    """Share of each component's variance that lies between groups (eta squared), (components,).

    `scores` is (samples, components), `groups` (samples,).
    """
    _, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    sizes = np.bincount(index)
    sums = np.stack([np.bincount(index, weights=column) for column in scores.T], axis=1)
    means = sums / sizes[:, None]
    total = ((scores - scores.mean(axis=0)) ** 2).sum(axis=0)
    between = (sizes[:, None] * (means - scores.mean(axis=0)) ** 2).sum(axis=0)
    return np.divide(between, total, out=np.zeros_like(total), where=total > 0)
