"""Multinomial logistic regression with a penalty of which half is absolute, half squared (Zou and Hastie 2005)."""

import numpy as np

from scarceseq.fewshot.numerics import no_convergence_warning

CANDIDATES = "elastic_net_inverse_penalty"


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: float, seed: int
) -> np.ndarray:
    """The candidate is the inverse of the penalty's strength."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=candidate, l1_ratio=0.5, solver="saga", max_iter=200, tol=1e-3, random_state=seed % 2**32
    )
    with no_convergence_warning():
        return model.fit(support, support_classes).predict_proba(query)
