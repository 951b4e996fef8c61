"""Theil-Sen regression on two variables and distance correlation, for thousands of genes at once."""

import numba
import numpy as np

SUBSETS, ITERATIONS = 10_000, 1000
"""Pairs of genes that are solved for both weights, and most steps to their spatial median."""
PRECISION = 1e-8
"""Length of the last of these steps."""


def gene_pairs(genes: int, seed: int) -> np.ndarray:
    """All pairs of different genes, or `SUBSETS` random ones where there are more; (pairs, 2)."""
    if genes * (genes - 1) // 2 <= SUBSETS:
        return np.stack(np.triu_indices(genes, 1), axis=1)
    generator = np.random.default_rng(seed)
    first, second = generator.integers(genes, size=SUBSETS), generator.integers(genes - 1, size=SUBSETS)
    return np.stack([first, second + (second >= first)], axis=1)


def theil_sen(both: np.ndarray, double: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Weights of two variables, without an intercept: the spatial median of those that solve pairs of observations.

    Dang et al. 2008, as scikit-learn's `TheilSenRegressor`, which solves pairs one at a time. A pair that determines
    no weights gets the shortest ones that fit it best. Variables are (observations, 2), pairs of observations
    (pairs, 2), weights (2,).
    """
    inverse = np.linalg.pinv(both[pairs], rcond=np.finfo(float).eps)
    return spatial_median((inverse @ double[pairs][:, :, None])[:, :, 0])


def spatial_median(points: np.ndarray) -> np.ndarray:
    """The point of the smallest sum of distances to (points, dimensions), by steps of Vardi & Zhang 2000 (PNAS 97)."""
    median = np.median(points, axis=0)
    for _ in range(ITERATIONS):
        apart = points - median
        distance = np.sqrt((apart**2).sum(axis=1))
        away = distance > 1e-12 * max(1.0, float(np.abs(median).max()))
        inverse = 1 / distance[away]
        pull, here = inverse @ apart[away], len(points) - int(away.sum())
        strength = float(np.linalg.norm(pull))
        if strength <= here or strength == 0:
            break
        step = (1 - here / strength) * pull / inverse.sum()
        median = median + step
        if np.linalg.norm(step) < PRECISION:
            break
    return median


def distance_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Distance correlation of two samples (Szekely, Rizzo & Bakirov 2007); NaN if one does not vary.

    Samples are (observations,) or (observations, variables).
    """
    columns = [np.ascontiguousarray(values.reshape(len(values), -1).T, dtype=np.float64) for values in (first, second)]
    covariance, *variances = distance_moments(*columns)
    size = np.sqrt(max(variances[0], 0.0) * max(variances[1], 0.0))
    return float(np.sqrt(max(covariance, 0.0) / size)) if size > 0 else float("nan")


@numba.njit(cache=True)
def distance_moments(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Squared distance covariance of two samples, (variables, observations), and squared distance variance of each.

    No table of distances is kept: a centred product is the mean product, less twice that of the row means, plus that
    of the means.
    """
    count = first.shape[1]
    rows = np.zeros((2, count))
    products = np.zeros(3)
    for i in range(count):
        both, one, other, row, row_other = 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(i):
            a, b = 0.0, 0.0
            if first.shape[0] == 1:
                a = abs(first[0, i] - first[0, j])
            else:
                for k in range(first.shape[0]):
                    a += (first[k, i] - first[k, j]) ** 2
                a = np.sqrt(a)
            if second.shape[0] == 1:
                b = abs(second[0, i] - second[0, j])
            else:
                for k in range(second.shape[0]):
                    b += (second[k, i] - second[k, j]) ** 2
                b = np.sqrt(b)
            both, one, other = both + a * b, one + a * a, other + b * b
            row, row_other = row + a, row_other + b
            rows[0, j] += a
            rows[1, j] += b
        rows[0, i] += row
        rows[1, i] += row_other
        products += np.array([2 * both, 2 * one, 2 * other])
    rows /= count
    mean, mean_other = rows[0].mean(), rows[1].mean()
    by_rows = np.array([(rows[0] * rows[1]).mean(), (rows[0] ** 2).mean(), (rows[1] ** 2).mean()])
    by_means = np.array([mean * mean_other, mean**2, mean_other**2])
    return products / count**2 - 2 * by_rows + by_means
