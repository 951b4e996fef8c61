"""Plain logarithms whitened by the covariance within classes of the pretrain and scout studies.

Directions in which samples of one class of one study differ count less, as in linear discriminant analysis; a few-shot
support is too small to estimate them itself.
"""

import numpy as np

from scarceseq.errors import InputError
from scarceseq.fewshot.features.logs import prepare as prepare_logs
from scarceseq.fewshot.method import Source, Transform
from scarceseq.fewshot.numerics import from_group_means

NEEDS = ("reference",)
LEAST_SHRINKAGE = 1e-6


def prepare(source: Source) -> Transform:
    """Multiply logarithms by the covariance's inverse root, in units that leave what never varies as it is.

    The covariance is that of the reference around the means of its classes within studies, shrunken towards equal
    variances without correlation (Ledoit and Wolf 2004); samples without a class are left out. Raises InputError if no
    study of the reference has two samples of a class that differ.
    """
    logs = prepare_logs(source)
    residuals = _residuals(logs, source)
    if not residuals.any():
        raise InputError(
            f"features `whitened`: no pretrain or scout study of the split '{source.base.information['split']}' has "
            "two samples of one class of the task's label; take other features, or give these studies the label"
        )
    shrinkage = max(ledoit_wolf(residuals), LEAST_SHRINKAGE)
    floor = shrinkage * np.square(residuals).mean()
    squares, left = np.linalg.eigh(residuals @ residuals.T)
    kept = squares > 1e-9 * squares[-1]
    directions = residuals.T @ (left[:, kept] / np.sqrt(squares[kept]))  # (genes, directions), of length 1
    change = np.sqrt(floor / (floor + (1 - shrinkage) * squares[kept] / len(residuals))) - 1

    def transform(expression: np.ndarray) -> np.ndarray:
        values = logs(expression)
        return values + (values @ directions * change) @ directions.T

    return transform


def _residuals(logs: Transform, source: Source) -> np.ndarray:
    """Logarithms of the reference minus the mean of their class in their study; classes of one sample left out."""
    pairs = np.array([f"{study}\t{label}" for study, label in zip(source.studies, source.labels, strict=True)])
    _, places, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    kept = (counts[places] > 1) & (np.asarray(source.labels) != "")
    return from_group_means(logs(source.reference[kept]), pairs[kept]) if kept.any() else np.zeros((1, 1))


def ledoit_wolf(residuals: np.ndarray) -> float:
    """Shrinkage of the covariance of (samples, genes) around 0; from products of samples, for there are fewer."""
    samples, genes = residuals.shape
    gram = residuals @ residuals.T
    mean = np.trace(gram) / samples / genes
    squared = np.square(gram).sum() / samples**2  # of all entries of the covariance
    noise = (np.square(np.diag(gram)).sum() / samples - squared) / (genes * samples)
    spread = squared / genes - mean**2
    return float(min(max(noise, 0.0) / spread, 1.0)) if spread > 0 else 1.0
