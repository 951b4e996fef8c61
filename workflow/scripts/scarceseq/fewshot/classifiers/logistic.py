"""Multinomial logistic regression with a squared penalty."""

import numpy as np

from scarceseq.fewshot.numerics import in_span

CANDIDATES = "inverse_penalty"


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: float, seed: int
) -> np.ndarray:
    """The candidate is the inverse of the penalty's strength."""
    from sklearn.linear_model import LogisticRegression

    support, query = in_span(support, query)
    return LogisticRegression(C=candidate, max_iter=2000).fit(support, support_classes).predict_proba(query)
