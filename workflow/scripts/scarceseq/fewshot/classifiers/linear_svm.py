"""Linear support vector machine, one class against the rest."""

import numpy as np

from scarceseq.fewshot.numerics import in_span, no_convergence_warning, softmax

CANDIDATES = "svm_inverse_penalty"


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: float, seed: int
) -> np.ndarray:
    """The candidate is the inverse of the penalty's strength.

    Probabilities are softmax(margins): a convention, since calibrating on a dozen samples would be none.
    """
    from sklearn.svm import LinearSVC

    support, query = in_span(support, query)
    model = LinearSVC(C=candidate, random_state=seed % 2**32, max_iter=2000)
    with no_convergence_warning():
        margins = model.fit(support, support_classes).decision_function(query)
    return softmax(np.stack([-margins / 2, margins / 2], axis=1) if margins.ndim == 1 else margins)
