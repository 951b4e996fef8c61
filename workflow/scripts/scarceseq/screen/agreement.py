"""How well two sets of profiles agree, row by row: shared by reliability and by the metrics of predictions.

Every function takes two arrays (perturbations x genes) and a mask of the same shape, true where a gene counts for that
perturbation, and returns one value per perturbation.
"""

import numpy as np

from scarceseq.screen.combinations import genes_of


def targeted_gene_mask(perturbations: np.ndarray, genes: np.ndarray) -> np.ndarray:
    """False where the column is a perturbed gene itself, true elsewhere.

    A knocked-down gene's own change is trivial to foresee and would flatter every predictor. Shape (perturbations,
    genes).
    """
    column = {gene: index for index, gene in enumerate(genes)}
    mask = np.ones((len(perturbations), len(genes)), dtype=bool)
    for row, name in enumerate(perturbations):
        for gene in genes_of(name):
            if gene in column:
                mask[row, column[gene]] = False
    return mask


def mean_over(mask: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean of the values of each row over the genes that count; NaN where none counts."""
    count = mask.sum(axis=1)
    total = np.where(mask, values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)


def mean_squared_error(first: np.ndarray, second: np.ndarray | float, mask: np.ndarray) -> np.ndarray:
    """Mean over the genes that count of the squared difference; NaN where none counts."""
    return mean_over(mask, (first - second) ** 2)


def correlation(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Pearson correlation over the genes that count; 0 where one side does not vary, since it then ranks nothing."""
    return _cosine(_centre(first, mask), _centre(second, mask))


def cosine(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Cosine of the angle between two rows; 0 where one of them is zero."""
    return _cosine(np.where(mask, first, 0.0), np.where(mask, second, 0.0))


def _centre(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    count = np.maximum(mask.sum(axis=1, keepdims=True), 1)
    mean = np.where(mask, values, 0.0).sum(axis=1, keepdims=True) / count
    centred = np.where(mask, values - mean, 0.0)
    # what is left of a constant row after centring is rounding, not signal
    largest = np.abs(values).max(axis=1, keepdims=True)
    return np.where(np.abs(centred).max(axis=1, keepdims=True, initial=0) <= 1e-9 * largest, 0.0, centred)


def _cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.divide((first * second).sum(axis=1), norm, out=np.zeros(len(norm)), where=norm > 0)
