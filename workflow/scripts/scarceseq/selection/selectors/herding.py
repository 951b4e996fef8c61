"""Kernel herding: chosen genes whose mean in the kernel's space follows that of the test genes (Chen et al. 2010).

The kernel is that of the predictor `graph_ridge` on the selection graph. Of the test genes the names alone are looked
at; without any, the pool itself is what is followed. Variants (`selection/targets`) know less: the whole list, or
nothing.
"""

import numpy as np

from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.pool import QUANTUM, arrange_pool, quantise
from scarceseq.selection.target_kernel import kernel_with_targets

NEEDS = ("graph",)
VARIANTS = "selection.targets"
NAMES_USED = "tests"


def rank(
    pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0, variant: str = ""
) -> Ranking:
    """Each time the gene most similar to the targets beyond its similarity to what was chosen; the gain is that."""
    everyone, candidates, measured = arrange_pool(pool, evidence.graph, budget, labelled)
    kernel, targets = kernel_with_targets(pool, evidence, everyone, candidates, variant)
    near = kernel[np.ix_(candidates, targets)].mean(axis=1)
    covered = kernel[np.ix_(candidates, measured)].sum(axis=1)
    order, gains, free = [], [], np.ones(len(candidates), dtype=bool)
    for step in range(len(candidates) if budget is None else budget):
        gain = quantise(near - covered / (len(measured) + step + 1))
        best = int(np.argmax(np.where(free, gain, np.iinfo(np.int64).min)))
        order.append(best)
        gains.append(gain[best] * QUANTUM)
        free[best] = False
        covered += kernel[candidates, candidates[best]]
    return everyone[order], np.array(gains)
