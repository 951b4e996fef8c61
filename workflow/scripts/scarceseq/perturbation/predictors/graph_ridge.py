"""Ridge regression on graph features: genes with similar neighbourhoods are expected to have similar effects.

The features of a gene are its row of the symmetric-normalised graph with self loops, scaled to length one; ridge on
them is kernel ridge on the cosine of two genes' neighbourhoods, plus the mean of the training perturbations. The ridge
constant is chosen by leave-one-out error among the training perturbations. Genes that the graph does not have get the
mean.
"""

from scarceseq.perturbation import kernel

NEEDS = ("graph",)
KINDS = ("cells", "profiles", "coordinates")

prepare, fit, predict = kernel.graph_kernel, kernel.fit, kernel.predict
