"""`mean_kernel` with the noise that has the least leave-one-out error among the training perturbations."""

from functools import partial

from scarceseq.perturbation import process

NEEDS = ("kernels",)
KINDS = ("cells", "profiles", "coordinates")

prepare, predict, deviation = process.prepare, process.predict, process.deviation
fit = partial(process.fit, noise=None)
