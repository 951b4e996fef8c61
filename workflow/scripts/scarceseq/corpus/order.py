"""In which order the rows of the corpus are drawn: random, seeded, each once per pass."""

import itertools
from collections.abc import Iterator

import numpy as np

# Rows that are mixed with each other when blocks of rows are drawn.
WINDOW_ROWS = 2048


def draw_passes(rows: np.ndarray, seed: int, block_rows: int = 1, first_pass: int = 0) -> Iterator[np.ndarray]:
    """Yield the rows in a new order for ever, each row once per pass. Each pass has a seed of its own.

    With `block_rows` of 1 rows are drawn independently. On disks that seek slowly, larger blocks of neighbouring rows
    are drawn, and mixed with the others of one window of `WINDOW_ROWS`: fewer seeks, less random batches. Passes before
    `first_pass` are left out.
    """
    for index in itertools.count(first_pass):
        generator = np.random.default_rng([seed, index])
        yield generator.permutation(rows) if block_rows == 1 else _permute_blocks(rows, block_rows, generator)


def _permute_blocks(rows: np.ndarray, block_rows: int, generator: np.random.Generator) -> np.ndarray:
    blocks = np.split(np.sort(rows), np.arange(block_rows, len(rows), block_rows))
    order = np.concatenate([blocks[index] for index in generator.permutation(len(blocks))])
    windows = np.split(order, np.arange(WINDOW_ROWS, len(order), WINDOW_ROWS))
    return np.concatenate([generator.permutation(window) for window in windows])


def cut(order: np.ndarray, batch_rows: int) -> Iterator[np.ndarray]:
    """Yield the batches of one pass; the last may be smaller."""
    for start in range(0, len(order), batch_rows):
        yield order[start : start + batch_rows]


def draw_batches(
    rows: np.ndarray, batch_rows: int, seed: int, block_rows: int = 1, first_batch: int = 0
) -> Iterator[np.ndarray]:
    """Yield batches of exactly `batch_rows` for ever, across the borders of passes; parameters as above.

    Batches before number `first_batch` are left out, in a time that does not depend on how many they are.
    """
    first_pass, place = divmod(first_batch * batch_rows, len(rows))
    passes = draw_passes(rows, seed, block_rows, first_pass)
    waiting = next(passes)[place:]
    while True:
        while len(waiting) < batch_rows:
            waiting = np.concatenate([waiting, next(passes)])
        yield waiting[:batch_rows]
        waiting = waiting[batch_rows:]
