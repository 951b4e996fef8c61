"""Kernel ridge on the mean of the kernels of several graphs and embeddings, noise one, with a constant kernel.

The constant kernel learns the effect that perturbations share; centring on the mean of the measured genes, as
`graph_ridge` does, is biased by any choice that is not random. Nothing is tuned.
"""

from scarceseq.perturbation import process

NEEDS = ("kernels",)
KINDS = ("cells", "profiles", "coordinates")

prepare, fit, predict, deviation = process.prepare, process.fit, process.predict, process.deviation
