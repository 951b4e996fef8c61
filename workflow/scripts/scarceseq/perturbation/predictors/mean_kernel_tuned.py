"""`mean_kernel` with the noise that has the least leave-one-out error among the training perturbations."""

from functools import partial

from scipy import sparse

from scarceseq.perturbation import process
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.perturbation.prior import Prior

NEEDS = ("kernels",)
KINDS = ("cells", "profiles", "coordinates")

fit = partial(process.fit, noise=None)
predict = process.predict
deviation = process.deviation


def prepare(prior: Prior) -> sparse.csr_array:
    """Features of all perturbed genes."""
    return mean_kernel_features(prior.kernels, prior.perturbations)
