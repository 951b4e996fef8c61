"""Scouts that tell two clusters of samples apart: fewer dimensions, k-means, random pairs of clusters."""

import itertools
import logging

import numpy as np
import threadpoolctl
from sklearn.cluster import KMeans

from scarceseq.errors import InputError
from scarceseq.guide.plan import Candidates
from scarceseq.guide.settings import SchemeSettings
from scarceseq.pretrain.components import SAMPLES_AT_ONCE, Reader, fit_components, in_blocks, on_processor
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

RESTARTS = 10
# Of more than SAMPLES_AT_ONCE samples, UMAP sees so many principal components.
UMAP_SEES = 50


def draw_tasks(candidates: Candidates, settings: SchemeSettings, seed: int) -> list[list[np.ndarray]]:
    """Distinct pairs of clusters, in random order, each with all samples of its two clusters.

    There are fewer than ``scouts`` if there are not so many pairs; labels and studies are not used. Reads
    ``reduction``, ``components``, ``clusters``, ``minimum_class_samples``, ``scouts``. Raises InputError if fewer than
    two clusters have enough samples.
    """
    samples, least = candidates.samples, settings.minimum_class_samples
    clusters = max(min(settings.clusters, samples // least), 1)
    points = REDUCTIONS[settings.reduction](candidates.read, samples, settings.components, derive(seed, "umap"))
    logger.info("%d samples on %d dimensions by %s; clustering", samples, points.shape[1], settings.reduction)
    labels = cluster(points, clusters, derive(seed, "clusters"))
    members = [np.flatnonzero(labels == label) for label in range(clusters)]
    usable = [rows for rows in members if len(rows) >= least]
    if len(usable) < 2:
        raise InputError(
            f"guide scheme cluster_pairs: {samples} samples form {len(usable)} clusters of at least {least} "
            "samples; at least 2 are needed: give more studies a scout role or lower minimum_class_samples"
        )
    pairs = list(itertools.combinations(range(len(usable)), 2))
    order = np.random.default_rng(derive(seed, "pairs")).permutation(len(pairs))[: settings.scouts]
    logger.info("%d clusters, %d with at least %d samples, %d pairs", clusters, len(usable), least, len(pairs))
    if len(order) < settings.scouts:
        logger.warning("%d scouts were asked for, there are %d pairs of clusters", settings.scouts, len(pairs))
    return [[usable[index] for index in pairs[place]] for place in order]


def principal_components(read: Reader, samples: int, components: int, seed: int) -> np.ndarray:
    """Scores of the leading principal components, (samples, components); fewer if the table is small."""
    rows = np.arange(samples)
    if samples > SAMPLES_AT_ONCE:
        return in_blocks(fit_components(read, rows, components, seed).scores, read, rows)
    values = np.asarray(on_processor(read(rows)), dtype=np.float64)
    left, singular, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    return (left * singular)[:, :components]


def umap(read: Reader, samples: int, components: int, seed: int) -> np.ndarray:
    """Coordinates by UMAP (McInnes et al. 2018), as published work on RNA-seq did; repeatable by its seed."""
    from umap import UMAP

    if samples > SAMPLES_AT_ONCE:
        seen = principal_components(read, samples, UMAP_SEES, derive(seed, "components"))
    else:
        seen = on_processor(read(np.arange(samples)))
    components = min(components, samples - 2)
    neighbours = min(15, samples - 1)
    reducer = UMAP(n_neighbors=neighbours, n_components=components, random_state=seed % 2**32, n_jobs=1)
    with threadpoolctl.threadpool_limits(1):
        return reducer.fit_transform(seen).astype(np.float64)


REDUCTIONS = {"pca": principal_components, "umap": umap}


def cluster(points: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """k-means label of each point; on one thread, because sums over threads come in no fixed order."""
    with threadpoolctl.threadpool_limits(1):
        return KMeans(clusters, n_init=RESTARTS, random_state=seed % 2**32).fit_predict(points)
