"""Samples x genes counts on disk, in one form for archive batches, user studies and the corpus.

An ``.h5ad`` that anndata opens, whose ``X`` has one compressed chunk per sample: a row is read alone, and is copied
into another file of the same genes as it is, packed.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem, write_elem
from isal import isal_zlib

from scarceseq.files import atomic
from scarceseq.seals import checked

# What is known of each sample, whatever it comes from.
SAMPLE_COLUMNS = ["study", "organism", "source", "unit", "runs", "auc", "mapped_reads", "average_mapped_length"]

# Eight-byte whole numbers of which the high bytes are mostly 0: shuffling bytes packs them better and faster.
PACKING = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
ARRAY = {"encoding-type": "array", "encoding-version": "0.2.0"}


@contextlib.contextmanager
def create_counts(samples: pd.DataFrame, genes: pd.DataFrame, path: str | Path) -> Iterator[h5py.Dataset]:
    """Yield an empty data set ``X``, int64, (samples, genes), to be filled row by row; then it is at `path`.

    The tables have samples and versioned gene ids as their index.
    """
    frame = anndata.AnnData(obs=_categories(samples), var=_categories(genes))
    shape = frame.shape
    with atomic(path, sealed=True) as temporary:
        frame.write_h5ad(temporary)
        with h5py.File(temporary, "r+") as handle:
            layout = {"chunks": (1, shape[1]), **PACKING} if all(shape) else {}
            matrix = handle.create_dataset("X", shape=shape, dtype="<i8", **layout)
            matrix.attrs.update(ARRAY)
            yield matrix


@contextlib.contextmanager
def append_counts(genes: pd.DataFrame, path: str | Path) -> Iterator["CountsWriter"]:
    """Yield a `CountsWriter` of an empty file, to which samples are added as they come; then the file is at `path`.

    The table of genes has versioned gene ids as its index.
    """
    with atomic(path, sealed=True) as temporary, h5py.File(temporary, "w") as handle:
        layout = {"shape": (0, len(genes)), "maxshape": (None, len(genes)), "chunks": (1, len(genes))}
        matrix = handle.create_dataset("X", dtype="<i8", **layout, **PACKING)
        matrix.attrs.update(ARRAY)
        writer = CountsWriter(matrix)
        yield writer
        frame = anndata.AnnData(obs=_categories(writer.samples), var=_categories(genes))
        handle.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        write_elem(handle, "obs", frame.obs)
        write_elem(handle, "var", frame.var)
        for name in ("obsm", "varm", "obsp", "varp", "layers", "uns"):
            write_elem(handle, name, {})


class CountsWriter:
    """Adds samples to a file of counts; `samples`, a row for each, is to be set before the file is closed."""

    def __init__(self, matrix: h5py.Dataset) -> None:
        self.samples = None
        self._matrix = matrix

    def append(self, counts: np.ndarray) -> None:
        """Add samples: int64, (samples, genes)."""
        first = len(self._matrix)
        self._matrix.resize(first + len(counts), axis=0)
        pack_rows(self._matrix, first, counts)


def pack_rows(matrix: h5py.Dataset, first: int, counts: np.ndarray) -> None:
    """Write samples to rows of a data set in the form of `create_counts`, from row `first` on.

    They are packed here by ISA-L, five times as fast as by HDF5's own filters, which read them all the same.
    """
    if counts.shape[1:] != matrix.shape[1:]:
        raise TypeError(f"rows of {counts.shape[1:]} counts for a data set of {matrix.shape}")
    for row, values in enumerate(counts, start=first):
        shuffled = np.ascontiguousarray(np.ascontiguousarray(values, "<i8").view(np.uint8).reshape(-1, 8).T)
        matrix.id.write_direct_chunk((row, 0), isal_zlib.compress(shuffled, 1))


def write_counts(counts: np.ndarray, samples: pd.DataFrame, genes: pd.DataFrame, path: str | Path) -> None:
    """Write an ``.h5ad`` of exact counts: int64, (samples, genes); the tables are as for `append_counts`."""
    with append_counts(genes, path) as writer:
        writer.append(np.asarray(counts))
        writer.samples = samples


def _categories(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype(dict.fromkeys(table.select_dtypes("object").columns, "category"))


class CountsFile:
    """What `create_counts` or `write_counts` wrote. Nothing of it is kept: a table of genes takes 9 MB, and a corpus is
    made of two hundred files."""

    def __init__(self, path: str | Path) -> None:
        self.path = path

    def read_samples(self) -> pd.DataFrame:
        """The table of samples as it was written."""
        with h5py.File(checked(self.path)) as handle:
            return read_elem(handle["obs"])

    def read_genes(self) -> pd.DataFrame:
        """The table of genes as it was written."""
        with h5py.File(checked(self.path)) as handle:
            return read_elem(handle["var"])

    @contextlib.contextmanager
    def open(self) -> Iterator[h5py.Dataset]:
        """Yield the data set of counts."""
        with h5py.File(checked(self.path)) as handle:
            yield handle["X"]


def copy_rows(source: h5py.Dataset, target: h5py.Dataset, first: int, place: int, rows: int) -> None:
    """Copy `rows` rows, from row `first` of `source` to row `place` of `target`, without unpacking them.

    Both are in the form of `create_counts`, of the same genes.
    """
    for row in range(rows):
        mask, packed = source.id.read_direct_chunk((first + row, 0))
        target.id.write_direct_chunk((place + row, 0), packed, mask)


def same_form(source: h5py.Dataset, target: h5py.Dataset) -> bool:
    """Whether rows of both data sets are packed alike, so that `copy_rows` may be used."""
    return all(getattr(source, name) == getattr(target, name) for name in ("chunks", "dtype", *PACKING))
