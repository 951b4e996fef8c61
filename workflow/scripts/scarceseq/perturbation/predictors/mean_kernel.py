"""Kernel ridge on the mean of the kernels of several graphs and embeddings, noise one, with a constant kernel.

The constant kernel learns the effect that perturbations share; centring on the mean of the measured genes, as
`graph_ridge` does, is biased by any choice that is not random. Nothing is tuned.
"""

from scipy import sparse

from scarceseq.perturbation import process
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.perturbation.prior import Prior

NEEDS = ("kernels",)
KINDS = ("cells", "profiles", "coordinates")

fit = process.fit
predict = process.predict
deviation = process.deviation


def prepare(prior: Prior) -> sparse.csr_array:
    """Features of all perturbed genes."""
    return mean_kernel_features(prior.kernels, prior.perturbations)
