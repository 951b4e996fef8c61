"""Scouts that tell two clusters of samples apart: fewer dimensions, k-means, random pairs of clusters."""

import itertools
import logging

import numpy as np
import threadpoolctl
from sklearn.cluster import KMeans

from scarceseq.errors import InputError
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

RESTARTS = 10


def draw_tasks(candidates, settings, seed):
    """Distinct pairs of clusters, in random order, each with all samples of its two clusters.

    Parameters
    ----------
    candidates : scarceseq.guide.plan.Candidates
        Labels and studies are not used by this scheme.
    settings : SchemeSettings
        Reads ``reduction``, ``components``, ``clusters``, ``minimum_class_samples``, ``scouts``.
    seed : int

    Returns
    -------
    list of list of numpy.ndarray
        Fewer than ``scouts`` if there are not so many pairs.

    Raises
    ------
    InputError
        If fewer than two clusters have enough samples.
    """
    expression, least = candidates.expression, settings.minimum_class_samples
    clusters = max(min(settings.clusters, len(expression) // least), 1)
    labels = cluster(
        REDUCTIONS[settings.reduction](expression, settings.components, derive(seed, "umap")),
        clusters,
        derive(seed, "clusters"),
    )
    members = [np.flatnonzero(labels == label) for label in range(clusters)]
    usable = [rows for rows in members if len(rows) >= least]
    if len(usable) < 2:
        raise InputError(
            f"guide scheme cluster_pairs: {len(expression)} samples form {len(usable)} clusters of at least {least} "
            "samples; at least 2 are needed: give more studies a scout role or lower minimum_class_samples"
        )
    pairs = list(itertools.combinations(range(len(usable)), 2))
    order = np.random.default_rng(derive(seed, "pairs")).permutation(len(pairs))[: settings.scouts]
    logger.info("%d clusters, %d with at least %d samples, %d pairs", clusters, len(usable), least, len(pairs))
    if len(order) < settings.scouts:
        logger.warning("%d scouts were asked for, there are %d pairs of clusters", settings.scouts, len(pairs))
    return [[usable[index] for index in pairs[number]] for number in order]


def principal_components(expression, components, seed):
    """Scores of the leading principal components, (samples, components); fewer if the table is small."""
    values = np.asarray(expression, dtype=np.float64)
    left, singular, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    return (left * singular)[:, :components]


def umap(expression, components, seed):
    """Coordinates by UMAP (McInnes et al. 2018), as published work on RNA-seq did; repeatable by its seed."""
    from umap import UMAP

    components = min(components, len(expression) - 2)
    neighbours = min(15, len(expression) - 1)
    reducer = UMAP(n_neighbors=neighbours, n_components=components, random_state=seed % 2**32, n_jobs=1)
    with threadpoolctl.threadpool_limits(1):
        return reducer.fit_transform(expression).astype(np.float64)


REDUCTIONS = {"pca": principal_components, "umap": umap}


def cluster(points, clusters, seed):
    """k-means label of each point; on one thread, because sums over threads come in no fixed order."""
    with threadpoolctl.threadpool_limits(1):
        return KMeans(clusters, n_init=RESTARTS, random_state=seed % 2**32).fit_predict(points)
