"""Metrics that rank genes by their predicted change."""

from collections.abc import Callable

import numpy as np
from scipy import stats

from scarceseq.perturbation.truth import Truth


def spearman(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """Spearman's rank correlation of predicted and measured changes over the genes that count.

    0 where one side does not vary, since it then ranks nothing.
    """
    result = np.zeros(len(prediction))
    for row, genes in enumerate(truth.mask):
        first, second = prediction[row, genes], truth.delta[row, genes]
        if np.ptp(first) > 0 and np.ptp(second) > 0:
            result[row] = stats.spearmanr(first, second).statistic
    return result


def differential_auprc(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """Average precision of the most differential genes when genes are ranked by the size of the predicted change.

    The share of such genes for a prediction that ranks nothing; NaN where there is none.
    """
    from sklearn.metrics import average_precision_score  # half a second, which a report need not wait for

    return _score(average_precision_score, prediction, truth)


def differential_auroc(prediction: np.ndarray, truth: Truth) -> np.ndarray:
    """Area under the ROC curve of the most differential genes when genes are ranked by the size of the change.

    1/2 for a prediction that ranks nothing; NaN where all or none of the genes are of them.
    """
    from sklearn.metrics import roc_auc_score

    return _score(roc_auc_score, prediction, truth)


def _score(metric: Callable[[np.ndarray, np.ndarray], float], prediction: np.ndarray, truth: Truth) -> np.ndarray:
    result = np.full(len(prediction), np.nan)
    for row, genes in enumerate(truth.mask):
        wanted = truth.top[row, genes]
        if wanted.any() and not wanted.all():
            result[row] = metric(wanted, np.abs(prediction[row, genes]))
    return result
