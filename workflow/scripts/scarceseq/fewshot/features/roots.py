"""Square root of TPM, which makes the variance of Poisson counts the same at all means (Bartlett 1936)."""

import numpy as np

from scarceseq.fewshot.features.logs import prepare as prepare_logs
from scarceseq.fewshot.method import Source, Transform

NEEDS = ()


def prepare(source: Source) -> Transform:
    """Nothing is fitted."""
    logs = prepare_logs(source)
    return lambda expression: np.sqrt(np.maximum(np.exp2(logs(expression)) - 1, 0))
