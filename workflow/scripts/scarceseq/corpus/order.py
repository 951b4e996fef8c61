"""In which order the rows of the corpus are drawn: random, seeded, each once per pass."""

import numpy as np

# Rows that are mixed with each other when blocks of rows are drawn.
WINDOW_ROWS = 2048


def draw_passes(rows, seed, block_rows=1):
    """Yield the rows in a new order for ever, each row once per pass.

    Parameters
    ----------
    rows : numpy.ndarray of int
        Without repeats.
    seed : int
    block_rows : int
        1 draws rows independently. On disks that seek slowly, larger blocks of neighbouring rows are drawn, and mixed
        with the others of one window of `WINDOW_ROWS`: fewer seeks, less random batches.
    """
    generator = np.random.default_rng(seed)
    while True:
        yield generator.permutation(rows) if block_rows == 1 else _permute_blocks(rows, block_rows, generator)


def _permute_blocks(rows, block_rows, generator):
    blocks = np.split(np.sort(rows), np.arange(block_rows, len(rows), block_rows))
    order = np.concatenate([blocks[number] for number in generator.permutation(len(blocks))])
    windows = np.split(order, np.arange(WINDOW_ROWS, len(order), WINDOW_ROWS))
    return np.concatenate([generator.permutation(window) for window in windows])


def cut(order, batch_rows, rank=0, ranks=1):
    """Yield the batches of one pass; the last may be smaller.

    Parameters
    ----------
    order : numpy.ndarray of int
        One pass of `draw_passes`, the same on all ranks.
    batch_rows : int
        Rows of a batch of one rank.
    rank, ranks : int
        Number of this process among those that train together. Their batches are disjoint and cover the pass; all
        get equally many batches, of sizes that differ by one at most, and only in the last.
    """
    for start in range(0, len(order), batch_rows * ranks):
        yield order[start : start + batch_rows * ranks][rank::ranks]


def draw_batches(rows, batch_rows, seed, rank=0, ranks=1, block_rows=1):
    """Yield batches of exactly `batch_rows` for ever, across the borders of passes; parameters as above."""
    passes = draw_passes(rows, seed, block_rows)
    waiting = np.empty(0, dtype=np.int64)
    together = batch_rows * ranks
    while True:
        while len(waiting) < together:
            waiting = np.concatenate([waiting, next(passes)])
        yield waiting[:together][rank::ranks]
        waiting = waiting[together:]
