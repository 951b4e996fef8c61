"""Ridge regression on an embedding of genes, learned elsewhere: from a corpus, or given as a table.

Components are standardised over the perturbed genes; ridge on vectors of length one is kernel ridge on their cosine.
The ridge constant is chosen by leave-one-out error among the training perturbations. Genes without a vector get the
mean.
"""

import numpy as np

from scarceseq.perturbation import kernel
from scarceseq.perturbation.features import unit_vectors
from scarceseq.perturbation.prior import Prior

NEEDS = ("embedding",)
KINDS = ("cells", "profiles", "coordinates")

fit, predict = kernel.fit, kernel.predict


def prepare(prior: Prior) -> kernel.Kernel:
    """Cosine of the standardised vectors of all perturbed genes.

    Raises
    ------
    InputError
        If the embedding has fewer than two of the perturbed genes.
    """
    vectors, covered = unit_vectors(prior.embedding, prior.perturbations)
    values, inside = np.zeros((len(prior.perturbations),) * 2), np.zeros(len(prior.perturbations), dtype=bool)
    values[np.ix_(covered, covered)] = vectors @ vectors.T
    inside[covered] = True
    return kernel.Kernel(values, inside)
