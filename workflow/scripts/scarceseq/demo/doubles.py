"""Doubles of the generated screen: two genes at once, with known genetic interactions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scarceseq.seeds import derive

WEIGHTS = {"additive": (1.0, 1.0), "synergy": (1.7, 1.7), "suppression": (0.3, 0.3), "epistasis": (1.0, 0.0)}
"""What the effects of the first and the second gene count for."""


def draw_doubles(
    names: Sequence[str], effects: np.ndarray, targets: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, pd.DataFrame]:
    """Effects of `count` random pairs of perturbed genes, the kinds of interaction in turn.

    Parameters
    ----------
    names : sequence of str
        Perturbed genes.
    effects : ndarray (perturbations, genes)
        log2 change by each alone.
    targets : ndarray of int (perturbations,)
        Their columns; in a double both change as alone.

    Returns
    -------
    (ndarray (doubles, genes), pandas.DataFrame)
        log2 change by each double; the truth: perturbation (names joined by a plus), first, second, kind, c1, c2.
    """
    generator = np.random.default_rng(derive(seed, "demo", "doubles"))
    pairs = np.stack(np.triu_indices(len(names), k=1), axis=1)
    pairs = generator.permutation(pairs[np.sort(generator.choice(len(pairs), count, replace=False))])
    kinds = [list(WEIGHTS)[place % len(WEIGHTS)] for place in range(count)]
    weights = np.array([WEIGHTS[kind] for kind in kinds]).reshape(count, 2)
    changes = (weights[:, :, None] * effects[pairs]).sum(axis=1)
    for row, pair in enumerate(pairs):
        changes[row, targets[pair]] = effects[pair, targets[pair]]
    named = np.asarray(names)[pairs]
    truth = pd.DataFrame(
        {"perturbation": [f"{first}+{second}" for first, second in named], "first": named[:, 0], "second": named[:, 1]}
    )
    return changes, truth.assign(kind=kinds, c1=weights[:, 0], c2=weights[:, 1])
