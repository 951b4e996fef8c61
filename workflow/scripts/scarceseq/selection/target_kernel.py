"""Kernel of what may be chosen beside what is to be predicted, for selectors that look at both."""

import numpy as np

from scarceseq import registry
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import gene_kernel


def kernel_with_targets(
    pool: Genes, evidence: Evidence, everyone: np.ndarray, candidates: np.ndarray, variant: str
) -> Ranking:
    """Kernel of candidates, measured genes and targets, and the positions of the targets in it.

    `everyone` holds candidates, then measured genes. Targets are the test genes, by their names alone; the candidates
    if there are none; or what the entry `variant` of `selection/targets` says.
    """
    wanted = registry.load("selection.targets", variant).targets(pool, evidence.tests) if variant else evidence.tests
    others = np.array(sorted(set(wanted) - set(everyone)), dtype=object)
    genes = np.concatenate([everyone, others])
    places = np.flatnonzero(np.isin(genes.astype(str), wanted)) if len(wanted) else candidates
    return gene_kernel(evidence.graph, genes), places
