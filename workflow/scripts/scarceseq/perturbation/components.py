"""Principal components of a graph, as features of the perturbed genes."""

import numpy as np
from scipy.linalg import eigh

from scarceseq.perturbation.kernel import graph_kernel
from scarceseq.perturbation.prior import Prior

COMPONENTS = 50


def graph_components(prior: Prior) -> tuple[np.ndarray, np.ndarray]:
    """Leading principal components of the graph neighbourhoods of the perturbed genes.

    Scores are centred, (perturbations, at most `COMPONENTS`); zero for genes that the graph does not have, of which the
    second array is false.
    """
    kernel = graph_kernel(prior)
    covered = np.flatnonzero(kernel.covered)
    values = kernel.values[np.ix_(covered, covered)]
    values = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    count = min(COMPONENTS, len(covered))
    size, vectors = eigh(values, subset_by_index=(len(covered) - count, len(covered) - 1))
    size, vectors = size[::-1], vectors[:, ::-1]
    kept = size > 1e-9 * max(size[0], 1e-300)
    # the sign of an eigenvector is arbitrary: the largest entry is made positive
    vectors = vectors[:, kept]
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    scores = np.zeros((len(kernel.covered), int(kept.sum())))
    scores[covered] = vectors * np.sqrt(size[kept])
    return scores, kernel.covered
