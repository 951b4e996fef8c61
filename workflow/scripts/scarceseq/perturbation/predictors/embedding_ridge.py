"""Ridge regression on an embedding of genes, learned elsewhere: from a corpus, or given as a table.

Components are standardised over the perturbed genes; ridge on vectors of length one is kernel ridge on their cosine.
The ridge constant is chosen by leave-one-out error among the training perturbations. Genes without a vector get the
mean.
"""

from typing import TYPE_CHECKING

import numpy as np

from scarceseq.errors import InputError
from scarceseq.perturbation import kernel

if TYPE_CHECKING:
    from scarceseq.perturbation.prior import Prior

NEEDS = ("embedding",)
KINDS = ("cells", "coordinates")

fit = kernel.fit
predict = kernel.predict


def prepare(prior: "Prior") -> kernel.Kernel:
    """Cosine of the standardised vectors of all perturbed genes.

    Raises
    ------
    InputError
        If the embedding has fewer than two of the perturbed genes.
    """
    place = prior.embedding.index.get_indexer(prior.perturbations)
    known = np.flatnonzero(place >= 0)
    if len(known) < 2:
        raise InputError(
            f"the gene embedding has {len(known)} of the perturbed genes; check that both use the same gene symbols"
        )
    vectors = prior.embedding.to_numpy(dtype=float)[place[known]]
    vectors -= vectors.mean(axis=0)
    scale = vectors.std(axis=0)
    vectors = vectors[:, scale > 0] / scale[scale > 0]
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(length > 0, length, 1)
    values = np.zeros((len(place), len(place)))
    values[np.ix_(known, known)] = vectors @ vectors.T
    return kernel.Kernel(values, place >= 0)
