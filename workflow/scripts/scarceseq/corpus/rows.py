"""Reading rows of the training matrix, from memory or from a disk that is told in time what will be wanted."""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from scarceseq.seals import SealedRows

# The kernel reads at most this much ahead per request on a disk with default settings.
REQUEST_BYTES = 2**17
# Rows of each announcement of which is asked whether they are in memory.
SAMPLED_ROWS = 8


class RowReader:
    """Copies rows of a C-contiguous matrix, (samples, genes), mapped from disk or in memory; `threads` share a batch.

    Rows in the page cache are copied at the speed of memory, and announcing them would only cost time. Rows on disk are
    read far faster if the kernel is told of many at once than at one page fault after another.
    """

    def __init__(self, matrix: np.ndarray, threads: int = 1) -> None:
        if not matrix.flags.c_contiguous:
            raise ValueError("matrix: rows must lie one after the other (C order)")
        self.matrix: Any = matrix
        self._values = matrix.view(np.ndarray)
        self.row_bytes = matrix.shape[1] * matrix.itemsize
        name = matrix.filename if isinstance(matrix, np.memmap) and hasattr(os, "posix_fadvise") else None
        self._file = None if name is None else os.open(name, os.O_RDONLY)
        self._threads = ThreadPoolExecutor(max(threads - 1, 1))  # starts none before it is used
        self._shares = threads

    def close(self) -> None:
        """End the threads and close the file; the matrix stays mapped."""
        self._threads.shutdown()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def announce(self, rows: np.ndarray) -> None:
        """Tell the kernel which rows will be read, unless they seem to be in memory."""
        if self._file is None or self._in_memory(rows):
            return
        for first, count in runs(np.sort(rows)):
            start, stop = self._place(first), self._place(first + count)
            for place in range(start, stop, REQUEST_BYTES):
                os.posix_fadvise(self._file, place, min(REQUEST_BYTES, stop - place), os.POSIX_FADV_WILLNEED)

    def _place(self, row: int) -> int:
        return self.matrix.offset + row * self.row_bytes

    def _in_memory(self, rows: np.ndarray) -> bool:
        """Whether the first byte of some of the rows can be had without waiting for the disk."""
        assert self._file is not None
        byte = bytearray(1)
        try:
            for row in rows[:: max(1, len(rows) // SAMPLED_ROWS)].tolist():
                os.preadv(self._file, [byte], self._place(row), os.RWF_NOWAIT)
        except (AttributeError, OSError):  # it has to wait, or this cannot be asked here
            return False
        return True

    def read(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Copy `rows` into `out`, (rows, genes), of the matrix's type.

        Raises IndexError if a row is not in the matrix.
        """
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self.matrix)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of a matrix of {len(self.matrix)} rows")
        borders = np.linspace(0, len(rows), self._shares + 1, dtype=int).tolist()
        shares = list(itertools.pairwise(borders))
        others = [self._threads.submit(self._copy, rows[i:j], out[i:j]) for i, j in shares[1:]]
        self._copy(rows[: borders[1]], out[: borders[1]])
        for other in others:
            other.result()

    def _copy(self, rows: np.ndarray, out: np.ndarray) -> None:
        if isinstance(self.matrix, SealedRows):
            self.matrix.check_rows(rows)
        np.take(self._values, rows, axis=0, out=out, mode="clip")  # the default mode would go through a copy


def runs(rows: np.ndarray) -> list[tuple[int, int]]:
    """(first, length) of each run of neighbours among ascending rows."""
    borders = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
    lengths = np.diff(borders, append=len(rows))
    return list(zip(rows[borders].tolist(), lengths.tolist(), strict=True))
