"""Principal components of a graph, as features of the perturbed genes."""

import numpy as np
from scipy.linalg import eigh

from scarceseq.perturbation.kernel import graph_kernel
from scarceseq.perturbation.prior import Prior

COMPONENTS = 50


def graph_components(prior: Prior) -> tuple[np.ndarray, np.ndarray]:
    """Leading principal components of the graph neighbourhoods of the perturbed genes.

    Returns
    -------
    (numpy.ndarray, shape (perturbations, components), numpy.ndarray of bool, shape (perturbations,))
        Scores, centred, at most `COMPONENTS` of them; zero, and false, for genes that the graph does not have.
    """
    kernel = graph_kernel(prior)
    known = np.flatnonzero(kernel.known)
    values = kernel.values[np.ix_(known, known)]
    values = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    count = min(COMPONENTS, len(known))
    size, vectors = eigh(values, subset_by_index=(len(known) - count, len(known) - 1))
    size, vectors = size[::-1], vectors[:, ::-1]
    kept = size > 1e-9 * max(size[0], 1e-300)
    # the sign of an eigenvector is arbitrary: the largest entry is made positive
    vectors = vectors[:, kept]
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    scores = np.zeros((len(kernel.known), int(kept.sum())))
    scores[known] = vectors * np.sqrt(size[kept])
    return scores, kernel.known
