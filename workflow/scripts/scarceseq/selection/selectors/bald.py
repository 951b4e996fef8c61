"""BALD: where the model is least certain (Houlsby et al. 2011).

For a Gaussian process the information of a measurement is half log(1 + variance / noise).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scarceseq.selection.batches import uncertainty
from scarceseq.selection.pool import QUANTUM, quantise

if TYPE_CHECKING:
    from scarceseq.selection.evidence import Evidence

NEEDS = ("graph",)
DRAWS = False
ROUNDS = True
START = "random"


def rank(
    pool: Sequence[str], evidence: "Evidence", budget: int | None = None, labelled: Sequence[str] = (), seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Candidates by falling information of a measurement, each judged alone; the gain is that information in nats."""
    state = uncertainty(pool, evidence, budget, labelled)
    gains = quantise(0.5 * np.log1p(np.diag(state.kernel)[state.candidates] / state.noise))
    order = np.argsort(-gains, kind="stable")[:budget]
    return state.genes[order], gains[order] * QUANTUM
