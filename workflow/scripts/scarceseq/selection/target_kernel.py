"""Kernel of what may be chosen beside what is to be predicted, for selectors that look at both."""

import numpy as np

from scarceseq import registry
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.kernels import gene_kernel


def kernel_with_targets(
    pool: Genes, evidence: Evidence, everyone: np.ndarray, candidates: np.ndarray, variant: str | None
) -> Ranking:
    """Kernel of candidates, measured genes and targets, and the positions of the targets in it.

    Parameters
    ----------
    pool : sequence of str
    evidence : scarceseq.selection.evidence.Evidence
        Its graph, and of its test genes the names alone, whose prediction is to be good.
    everyone : numpy.ndarray of str
        Candidates, then measured genes.
    candidates : numpy.ndarray of int
        The targets if none are named.
    variant : str or None
        Entry of `selection/targets` that says what is to be predicted instead.
    """
    wanted = registry.load("selection.targets", variant).targets(pool, evidence.tests) if variant else evidence.tests
    others = np.array(sorted(set(wanted) - set(everyone)), dtype=object)
    genes = np.concatenate([everyone, others])
    return gene_kernel(evidence.graph, genes), np.flatnonzero(np.isin(genes.astype(str), wanted)) if len(
        wanted
    ) else candidates
