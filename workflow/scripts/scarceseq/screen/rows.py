"""Rows of an `.h5ad`, a block at a time, so that memory does not grow with the number of cells."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.user_h5ad import checked_rows, find_values, open_h5ad, read_frame, readable

log = logging.getLogger(__name__)

VALUES_PER_BLOCK = 20_000_000
MAX_VALUES_BY_GENE = 100_000_000
"""Stored values of a CSC file."""
BYTES_PER_VALUE = 25
"""What each of them takes while they are turned to rows."""


class CellFile:
    """An `.h5ad`, open for reading.

    Parameters
    ----------
    layer : str, optional
        Layer with the values; X if left out.

    Attributes
    ----------
    obs, var : pandas.DataFrame
    shape : (int, int)
    logged : bool
        Whether scanpy noted that it has taken logarithms.
    """

    def __init__(self, path: str | Path, layer: str | None = None) -> None:
        self.path, self._handle = path, open_h5ad(path)
        try:
            self.obs, self.var = (read_frame(self._handle, name, path) for name in ("obs", "var"))
            self.shape = (len(self.obs), len(self.var))
            self.logged = "uns/log1p" in self._handle
            values = find_values(self._handle, layer, self.shape, path)
            self._values = by_cell(values, path) if getattr(values, "format", "csr") == "csc" else values
        except BaseException:
            self._handle.close()
            raise

    def __enter__(self) -> "CellFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.close()

    def rows(self, start: int, stop: int) -> sparse.csr_matrix:
        """Rows as a CSR matrix of float32, without stored zeros."""
        with readable(self.path):
            block = sparse.csr_matrix(checked_rows(_slice(self._values, start, stop), self.path), dtype=np.float32)
        block.eliminate_zeros()
        block.sort_indices()
        return block

    def blocks(self) -> Iterator[tuple[int, int, sparse.csr_matrix]]:
        """(start, stop, rows) over the whole file; the size of a block depends on the number of genes alone."""
        size = max(64, VALUES_PER_BLOCK // max(1, self.shape[1]))
        for start in range(0, self.shape[0], size):
            stop = min(start + size, self.shape[0])
            yield start, stop, self.rows(start, stop)


def _slice(values: Any, start: int, stop: int) -> Any:
    """Rows of a matrix; of a sparse one without anndata, which looks up a package's version for each slice (8 ms)."""
    if not hasattr(values, "group"):
        return values[start:stop]
    group, bounds = values.group, values.group["indptr"][start : stop + 1]
    stored = slice(bounds[0], bounds[-1])
    arrays = group["data"][stored], group["indices"][stored], bounds - bounds[0]
    return sparse.csr_matrix(arrays, shape=(len(bounds) - 1, values.shape[1]))


def by_cell(values: Any, path: str | Path) -> sparse.csr_matrix:
    """Values that are stored by gene (CSC) as rows in memory, if there are not too many of them.

    Raises
    ------
    InputError
        For more than `MAX_VALUES_BY_GENE`.
    """
    count = len(values.group["data"])
    if count > MAX_VALUES_BY_GENE:
        raise InputError(
            f"{path}: {count:,} values are stored by gene (CSC), which cells cannot be read from in blocks; write it "
            "anew with `adata.X = adata.X.tocsr()` on a machine that holds it"
        )
    log.warning(
        "%s: %s values are stored by gene (CSC), so that all are held in memory at once, some %.1f GB while they are "
        "turned to rows; `adata.X = adata.X.tocsr()` writes a file that is read in blocks",
        path,
        f"{count:,}",
        BYTES_PER_VALUE * count / 1e9,
    )
    with readable(path):
        return checked_rows(values.to_memory(), path).tocsr()


@contextlib.contextmanager
def write_cells(
    path: str | Path, obs: pd.DataFrame, var: pd.DataFrame, row_lengths: np.ndarray
) -> Iterator[Callable[[np.ndarray, sparse.csr_matrix], None]]:
    """Open an `.h5ad` for writing its rows in any order.

    Parameters
    ----------
    obs, var : pandas.DataFrame
        obs is written last, with columns that came up meanwhile.
    row_lengths : numpy.ndarray of int, shape (cells,)
        Stored values of each row.

    Yields
    ------
    callable
        ``write(places, rows)`` puts the rows of a CSR matrix at their places among all rows.
    """
    starts = np.concatenate([[0], np.cumsum(row_lengths, dtype=np.int64)])
    # scipy wants both kinds of index alike
    kind = np.int32 if starts[-1] < 2**31 else np.int64
    with h5py.File(path, "w") as handle:
        write_elem(handle, "/", anndata.AnnData(obs=obs, var=var))
        if "X" in handle:
            del handle["X"]
        group = handle.create_group("X")
        group.attrs["encoding-type"], group.attrs["encoding-version"] = "csr_matrix", "0.1.0"
        group.attrs["shape"] = np.array([len(obs), len(var)], dtype=np.int64)
        data = group.create_dataset("data", shape=(starts[-1],), dtype=np.float32)
        indices = group.create_dataset("indices", shape=(starts[-1],), dtype=kind)
        group.create_dataset("indptr", data=starts.astype(kind))

        def write(places: np.ndarray, rows: sparse.csr_matrix) -> None:
            order = np.argsort(places)
            places, rows = places[order], rows[order]
            breaks = np.flatnonzero(np.diff(places) != 1) + 1
            for first, last in zip([0, *breaks], [*breaks, len(places)], strict=True):
                here = slice(starts[places[first]], starts[places[last - 1] + 1])
                there = slice(rows.indptr[first], rows.indptr[last])
                if here.stop > here.start:
                    data[here], indices[here] = rows.data[there], rows.indices[there]

        yield write
        del handle["obs"]
        write_elem(handle, "obs", obs)
