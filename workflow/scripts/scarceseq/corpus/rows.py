"""Reading rows of the training matrix, from memory or from a disk that is told in time what will be wanted."""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

try:
    import resource
except ImportError:  # not on Windows
    resource = None

# The kernel reads at most this much ahead per request on a disk with default settings.
REQUEST_BYTES = 2**17
# While rows come from the disk, one batch in so many is read unannounced, to find out whether they still do.
PROBE_EVERY = 32


class RowReader:
    """Copies rows of a matrix, mapped from disk or in memory.

    Rows in the page cache are copied at the speed of memory, and announcing them would only cost time. Rows on disk
    are read far faster if the kernel is told of many at once than at one page fault after another. Which of the two
    holds shows in the page faults that had to wait for the disk, of the threads that read.

    Parameters
    ----------
    matrix : numpy.ndarray, (samples, genes)
        C-contiguous; a `numpy.memmap` or an array.
    threads : int
        That share a batch.
    """

    def __init__(self, matrix, threads=1):
        if not matrix.flags.c_contiguous:
            raise ValueError("matrix: rows must lie one after the other (C order)")
        self.matrix = matrix
        self.row_bytes = matrix.shape[1] * matrix.itemsize
        mapped = isinstance(matrix, np.memmap) and matrix.filename is not None
        self.announces = mapped and resource is not None and hasattr(os, "posix_fadvise")
        self.from_disk = self.announces
        self._file = open(matrix.filename, "rb") if self.announces else None  # noqa: SIM115
        self._turn = 0
        self._threads = ThreadPoolExecutor(max(threads - 1, 1))  # starts none before it is used
        self._parts = threads

    def close(self):
        """End the threads and close the file; the matrix stays mapped."""
        self._threads.shutdown()
        if self._file:
            self._file.close()

    def announce(self, rows):
        """Tell the kernel which rows will be read, if they seem to come from disk; returns whether that was done."""
        self._turn += 1
        if not self.from_disk or self._turn % PROBE_EVERY == 0:
            return False
        for first, count in runs(np.sort(rows)):
            start = self.matrix.offset + first * self.row_bytes
            for place in range(start, start + count * self.row_bytes, REQUEST_BYTES):
                length = min(REQUEST_BYTES, start + count * self.row_bytes - place)
                os.posix_fadvise(self._file.fileno(), place, length, os.POSIX_FADV_WILLNEED)
        return True

    def read(self, rows, out, announced=False):
        """Copy `rows` into `out`, (rows, genes), of the matrix's type.

        Raises
        ------
        IndexError
            If a row is not in the matrix.
        """
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self.matrix)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of a matrix of {len(self.matrix)} rows")
        borders = np.linspace(0, len(rows), self._parts + 1, dtype=int).tolist()
        parts = list(itertools.pairwise(borders))
        others = [self._threads.submit(self._copy, rows[i:j], out[i:j]) for i, j in parts[1:]]
        faults = self._copy(rows[: borders[1]], out[: borders[1]]) + sum(other.result() for other in others)
        if self.announces and not announced:
            self.from_disk = faults > 0

    def _copy(self, rows, out):
        """Copy rows and return how many page faults had to wait for the disk."""
        before = self._disk_faults()
        np.take(self.matrix, rows, axis=0, out=out, mode="clip")  # the default mode would go through a copy
        return self._disk_faults() - before

    def _disk_faults(self):
        return resource.getrusage(resource.RUSAGE_THREAD).ru_majflt if self.announces else 0


def runs(rows):
    """(first, length) of each run of neighbours among ascending rows."""
    borders = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
    lengths = np.diff(borders, append=len(rows))
    return list(zip(rows[borders].tolist(), lengths.tolist(), strict=True))
