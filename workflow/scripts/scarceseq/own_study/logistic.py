"""Ridge-penalised logistic regressions of a few samples, many at once."""

import numpy as np

SMALLEST_GRADIENT = 1e-7
MOST_STEPS = 60


def sample_coordinates(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Samples in as many coordinates as there are training samples, with the inner products of their features.

    A ridge penalty sees nothing but inner products, so that many features cost no more than few samples. `train` and
    `test` are (samples, features).
    """
    values, axes = np.linalg.eigh(train @ train.T)
    there = values > values[-1] * 1e-10
    roots = np.sqrt(np.where(there, values, 1.0))
    return axes * np.where(there, roots, 0.0), test @ (train.T @ axes) * (there / roots)


def balanced_weights(labels: np.ndarray) -> np.ndarray:
    """Weight of each sample that gives classes (of 0, 1, ...) equal weight, with mean 1."""
    sizes = np.bincount(labels)
    return len(labels) / (len(sizes) * sizes[labels])


def ridge_logistic(train: np.ndarray, targets: np.ndarray, weights: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Coefficients of independent regressions, (problems, features + 1), by Newton's method.

    Each minimises |w|^2 / 2 + strength * sum of weight * log(1 + exp(-target * (w x + b))). `train` is (problems,
    samples, features), `targets`, 1 and -1, and `weights` are (problems, samples), `strength`, scikit-learn's C, is
    (problems,). The last coefficient is the intercept, which is not penalised.
    """
    design = np.concatenate([train, np.ones((*train.shape[:2], 1))], axis=2)
    penalty = np.ones(design.shape[2])
    penalty[-1] = 0
    weighted = strength[:, None] * weights
    coefficients = np.zeros((len(design), design.shape[2]))

    def cost(values: np.ndarray) -> np.ndarray:
        margin = targets * (design @ values[:, :, None])[:, :, 0]
        return (penalty * values**2).sum(axis=1) / 2 + (weighted * np.logaddexp(0, -margin)).sum(axis=1)

    for _ in range(MOST_STEPS):
        margin = targets * (design @ coefficients[:, :, None])[:, :, 0]
        wrong = 1 / (1 + np.exp(np.clip(margin, -500, 500)))
        pull = (weighted * targets * wrong)[:, None, :] @ design
        gradient = penalty * coefficients - pull[:, 0]
        if np.abs(gradient).max() < SMALLEST_GRADIENT:
            break
        curvature = (weighted * wrong * (1 - wrong))[:, None, :] * design.transpose(0, 2, 1)
        hessian = curvature @ design + np.diag(penalty)
        hessian[:, -1, -1] += 1e-12
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        size, before = np.ones((len(design), 1)), cost(coefficients)
        for _ in range(20):
            worse = cost(coefficients - size * step) > before + 1e-12 * np.abs(before)
            if not worse.any():
                break
            size[worse] /= 2
        coefficients = coefficients - size * step
    return coefficients


def logistic_scores(
    problems: list[tuple[np.ndarray, np.ndarray]], labels: np.ndarray, strengths: tuple[float, ...]
) -> np.ndarray:
    """Scores of test samples by logistic regressions of each class against the rest.

    `problems` are training and test samples in the coordinates of `sample_coordinates`, equally many everywhere; each
    of the `strengths` is tried on each. (problems x strengths, test samples, classes), log odds; of two classes half of
    them, with both signs.
    """
    classes = labels.max() + 1
    against = [1] if classes == 2 else list(range(classes))
    targets = np.stack([np.where(labels == name, 1.0, -1.0) for name in against])
    weights = np.stack([balanced_weights((row > 0).astype(int)) for row in targets])
    tried = len(strengths)
    train = np.repeat(np.stack([both[0] for both in problems]), tried * len(against), axis=0)
    test = np.repeat(np.stack([both[1] for both in problems]), tried * len(against), axis=0)
    strength = np.tile(np.repeat(np.array(strengths), len(against)), len(problems))
    often = len(problems) * tried
    fitted = ridge_logistic(train, np.tile(targets, (often, 1)), np.tile(weights, (often, 1)), strength)
    odds = (test @ fitted[:, :-1, None])[:, :, 0] + fitted[:, -1:]
    odds = odds.reshape(often, len(against), -1).transpose(0, 2, 1)
    return np.concatenate([-odds / 2, odds / 2], axis=2) if classes == 2 else odds
