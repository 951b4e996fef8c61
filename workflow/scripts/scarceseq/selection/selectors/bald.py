"""BALD: where the model is least certain (Houlsby et al. 2011).

For a Gaussian process the information of a measurement is half log(1 + variance / noise).
"""

import numpy as np

from scarceseq.selection.batches import uncertainty
from scarceseq.selection.evidence import Evidence, Genes, Ranking
from scarceseq.selection.pool import QUANTUM, quantise

NEEDS = ("graph",)
START = "random"


def rank(pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0) -> Ranking:
    """Candidates by falling information of a measurement, each judged alone; the gain is that information in nats."""
    state = uncertainty(pool, evidence, budget, labelled)
    gains = quantise(0.5 * np.log1p(np.diag(state.kernel)[state.candidates] / state.noise))
    order = np.argsort(-gains, kind="stable")[:budget]
    return state.genes[order], gains[order] * QUANTUM
