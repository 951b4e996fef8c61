"""Writing the corpus: exact counts for whoever opens them, log2(TPM + 1) in rows for training.

Rows go from the shards to the files a few at a time, so that memory does not grow with the number of samples.
"""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from scarceseq.archive.counts import copy_rows, create_counts, same_form
from scarceseq.corpus.transform import NOT_MEASURED, TRAINING_TYPE, log_tpm
from scarceseq.files import atomic
from scarceseq.progress import follow

# int64 counts that are in memory at once; the normalisation holds a few arrays of this size.
BLOCK_BYTES = 2**23


def block_rows(genes: int) -> int:
    """Rows of `genes` counts that are handled at once."""
    return max(1, BLOCK_BYTES // (8 * max(genes, 1)))


def runs_of_rows(files: np.ndarray, rows: np.ndarray, limit: int) -> Iterator[tuple[int, int, int, int]]:
    """Cut rows into runs of at most `limit` that lie one behind the other in one file: (file, first, place, length).

    `files` and `rows`, (samples,), are the file of each sample by its place in the list, and the row in that file, in
    the order wanted. Rows ``first : first + length`` of the file become rows ``place : place + length``.
    """
    breaks = (np.diff(files) != 0) | (np.diff(rows) != 1)
    borders = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(rows)]
    for start, stop in itertools.pairwise(borders):
        for place in range(start, stop, limit):
            yield int(files[place]), int(rows[place]), place, min(limit, stop - place)


def write_corpus(corpus: Any, corpus_path: str | Path, training_path: str | Path) -> None:
    """Write exact counts as ``.h5ad``, and log2(TPM + 1) of the chosen genes as ``.npy``, both in rows by sample.

    TPM is of all shared genes, whatever genes are chosen afterwards, each of the length that it has in the organism of
    the sample; `NOT_MEASURED` where its study has none. Rows of files that have the corpus's genes are copied packed.
    """
    shared, chosen = corpus.genes["shared"].to_numpy(), corpus.genes["chosen"].to_numpy()
    runs = runs_of_rows(corpus.file_of, corpus.row_of, block_rows(len(shared)))
    with (
        create_counts(corpus.samples, corpus.genes, corpus_path) as target,
        _create_rows((len(corpus.samples), int(chosen.sum())), training_path) as training,
    ):
        of_files = [(index, list(rows)) for index, rows in itertools.groupby(runs, key=lambda run: run[0])]
        for index, of_file in follow(of_files, "stretches of files written"):
            aligned = corpus.files[index]
            with aligned.file.open() as source:
                for _, first, place, rows in of_file:
                    counts = aligned.counts(source, first, first + rows)
                    if aligned.columns is None and same_form(source, target):
                        copy_rows(source, target, first, place, rows)
                    else:
                        target[place : place + rows] = counts
                    values = log_tpm(np.ascontiguousarray(counts[:, shared]), aligned.bp_length[shared])
                    values[:, ~aligned.measured[shared]] = NOT_MEASURED
                    training.write(np.ascontiguousarray(values[:, chosen[shared]], dtype=TRAINING_TYPE).data)


@contextlib.contextmanager
def _create_rows(shape: tuple[int, int], path: str | Path) -> Iterator[BinaryIO]:
    with atomic(path, sealed=True) as temporary, open(temporary, "wb") as handle:
        header = {"descr": TRAINING_TYPE.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(handle, header)
        yield handle
