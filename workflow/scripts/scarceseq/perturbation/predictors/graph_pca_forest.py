"""Random forest on the leading principal components of the graph (Csendes et al. 2025).

Trees minimise the squared error summed over columns, which a rotation of the targets leaves as it is: they are grown on
as many coordinates as there are training perturbations, and leaves are turned back. Genes that the graph does not have
get the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from scarceseq.perturbation.components import graph_components

NEEDS = ("graph",)
KINDS = ("cells", "profiles", "coordinates")
RANDOM = True
TREES = 100
FEATURE_SHARE = 1 / 3
LEAF = 3
"""Smallest number of perturbations in a leaf."""
prepare = graph_components


@dataclass(frozen=True)
class Model:
    """What is learned: a mean profile, and trees in coordinates of the training profiles."""

    mean: np.ndarray  # (columns,)
    basis: np.ndarray  # (coordinates, columns)
    forest: RandomForestRegressor | None
    features: tuple


def fit(delta: np.ndarray, rows: Sequence[int], features: tuple[np.ndarray, np.ndarray], seed: int = 0) -> Model:
    """Mean, basis of the centred training profiles, and the forest in it."""
    scores, covered = features
    mean = delta.mean(axis=0)
    inside = covered[rows]
    if inside.sum() < 2 * LEAF:
        return Model(mean, np.zeros((0, len(mean))), None, features)
    left, size, basis = np.linalg.svd(delta[inside] - mean, full_matrices=False)
    forest = RandomForestRegressor(
        TREES, max_features=FEATURE_SHARE, min_samples_leaf=LEAF, random_state=seed, n_jobs=1
    )
    forest.fit(scores[rows[inside]], left * size)
    return Model(mean, basis, forest, features)


def predict(model: Model, rows: Sequence[int]) -> np.ndarray:
    """Mean plus the forest's prediction, turned back to the columns."""
    scores, covered = model.features
    prediction = np.tile(model.mean, (len(rows), 1))
    inside = covered[rows]
    if model.forest is not None and inside.any():
        turned = model.forest.predict(scores[rows[inside]]).reshape(inside.sum(), -1)
        prediction[inside] += turned @ model.basis
    return prediction
