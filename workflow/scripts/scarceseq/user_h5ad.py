"""`.h5ad` files as they come: whatever is wrong with one is one error that names the file and the remedy.

A file may come from a stranger. It must hold what it says itself: links, virtual data sets and external storage, by
which it would bring in other files of this machine, are refused, and so are sizes that nothing in the file stands for.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem, sparse_dataset
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.seals import checked

MAGIC = b"\x89HDF\r\n\x1a\n"
PLAUSIBLE_BYTES = 2**26
"""A data set up to this size is read whatever it takes on disk."""
LARGEST_PACKING = 20_000
"""Of what is larger, each byte on disk stands for at most so many; gzip reaches 1,032."""
SPARSE = {"csr_matrix": "csr", "csc_matrix": "csc"}


def check_format(path: Path | str) -> None:
    """Raise `InputError` unless the file starts as HDF5 does; says so where it is a web page."""
    with open(path, "rb") as handle:
        head = handle.read(512)
    if not head.startswith(MAGIC):
        page = head.lstrip()[:1] == b"<"
        what = "a web page, as servers send one in place of data" if page else "not an HDF5 file"
        raise InputError(f"{path}: this is {what}; delete it and fetch the .h5ad again")


@contextlib.contextmanager
def readable(path: Path | str) -> Iterator[None]:
    """Whatever goes wrong in reading a file becomes one `InputError`."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # HDF5, anndata and numpy have some ten kinds for a damaged file
        words = " ".join(str(error).split())[:300]
        raise InputError(
            f"{path}: cannot be read as .h5ad ({type(error).__name__}: {words}); it is cut, damaged, or of a form that "
            "anndata does not know: fetch it again, or write it anew with `adata.write_h5ad`"
        ) from error


def open_h5ad(path: Path | str) -> h5py.File:
    """Open a file of which every piece is in the file itself.

    `InputError` if it is no HDF5 file, is cut or damaged, or holds links, virtual data sets or external storage.
    """
    check_format(path)
    _check_that_hdf5_survives(path)
    with readable(path):
        handle = h5py.File(checked(path), "r")
    try:
        with readable(path):
            _check_group(handle, path, {_address(handle)})
    except BaseException:
        handle.close()
        raise
    return handle


def _check_that_hdf5_survives(path: Path | str) -> None:
    """Raise `InputError` if libhdf5 ends its process on this file, as 2.0 does on some damaged attributes and texts.

    They are read in a fork first, so that a job ends with a sentence instead of a signal. Numbers are not: their
    chunks are checked as they are read.
    """
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException), h5py.File(path, "r") as handle:
            _read_texts(handle)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        raise InputError(
            f"{path}: the HDF5 library crashes on this file; it is damaged: fetch it again, or write it anew with "
            "`adata.write_h5ad`"
        )


def _read_texts(handle: h5py.File) -> None:
    """Read every attribute and every data set of text; errors are left to those who read what they need."""

    def visit(_: str, item: Any) -> None:
        for name in item.attrs:
            with contextlib.suppress(Exception):
                item.attrs[name]
        with contextlib.suppress(Exception):
            if isinstance(item, h5py.Dataset) and item.dtype.kind == "O":
                _ = item[()]

    visit("/", handle)
    handle.visititems(visit)


def _address(item: Any) -> int:
    return h5py.h5o.get_info(item.id).addr


def _check_group(group: h5py.Group, path: Path | str, seen: set[int]) -> None:
    """Raise `InputError` for what in a group comes from elsewhere; `seen` are the addresses of what was checked."""
    for name in group:
        where = f"{group.name.rstrip('/')}/{name}"
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            target = " ".join(filter(None, (getattr(link, "filename", ""), getattr(link, "path", ""))))
            raise _refused(path, where, f"a link to {target}")
        item = group[name]
        if _address(item) in seen:
            continue
        seen.add(_address(item))
        if isinstance(item, h5py.Group):
            _check_group(item, path, seen)
        elif isinstance(item, h5py.Dataset):
            if item.is_virtual:
                raise _refused(path, where, "a virtual data set")
            if item.external:
                raise _refused(path, where, f"stored in another file, {item.external[0][0]}")


def _refused(path: Path | str, where: str, what: str) -> InputError:
    return InputError(
        f"{path}: '{where}' is {what}; only what is in the file itself is read: load it where it was made and "
        "write it anew with `adata.write_h5ad`"
    )


def _check_size(dataset: h5py.Dataset, path: Path | str) -> None:
    if dataset.shape is not None and dataset.nbytes > PLAUSIBLE_BYTES:
        stored = dataset.id.get_storage_size()
        if dataset.nbytes > LARGEST_PACKING * stored:
            raise InputError(
                f"{path}: '{dataset.name}' says that it has shape {dataset.shape}, {dataset.nbytes:,} bytes, but takes "
                f"{stored:,} in the file; it is damaged or was never filled: fetch it again"
            )


def read_frame(handle: h5py.File, name: str, path: Path | str) -> pd.DataFrame:
    """``obs`` or ``var`` of an open file; one compound table, as anndata wrote it before 0.7, is understood too.

    `InputError` if it is missing, or no table.
    """
    if name not in handle:
        raise InputError(f"{path}: has no '{name}', so it is no .h5ad of anndata; write it with `adata.write_h5ad`")
    with readable(path):
        item = handle[name]
        pieces = [item] if isinstance(item, h5py.Dataset) else list(_data_sets(item))
        for piece in pieces:
            _check_size(piece, path)
        frame = _compound_frame(item, handle) if isinstance(item, h5py.Dataset) else read_elem(item)
        if not isinstance(frame, pd.DataFrame):
            raise InputError(f"{path}: '{name}' is no table of anndata; write the file anew with `adata.write_h5ad`")
    return frame


def _data_sets(group: h5py.Group) -> Iterator[h5py.Dataset]:
    for item in group.values():
        if isinstance(item, h5py.Group):
            yield from _data_sets(item)
        else:
            yield item


def _compound_frame(dataset: h5py.Dataset, handle: h5py.File) -> pd.DataFrame:
    """A table whose first field is the index; codes of categories are resolved by ``uns/<column>_categories``."""
    values = dataset[()]
    frame = pd.DataFrame({field: _text(values[field]) for field in values.dtype.names})
    frame = frame.set_index(frame.columns[0])
    for column in frame:
        key = f"uns/{column}_categories"
        if key in handle and frame[column].dtype.kind in "iu":
            categories = _text(np.atleast_1d(handle[key][()]))
            if (frame[column] < len(categories)).all():  # else they are those of a column of the other table
                frame[column] = pd.Categorical.from_codes(frame[column].to_numpy(), categories)
    return frame


def _text(values: np.ndarray) -> np.ndarray:
    """Text in place of bytes."""
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8").astype(object)
    if values.dtype.kind == "O":
        return np.array([v.decode() if isinstance(v, bytes) else v for v in values.ravel()], dtype=object)
    return values


def find_values(handle: h5py.File, layer: str | None, shape: tuple[int, int], path: Path | str) -> Any:
    """X or a layer of an open file, checked to be a matrix of numbers of the shape of its tables.

    A data set of h5py or anndata: rows are read by slices, those of a sparse one go through `checked_rows`.
    `InputError` if it is missing, no matrix of numbers, or of another shape.
    """
    name = "X" if layer is None else f"layers/{layer}"
    if name not in handle:
        layers = ", ".join(handle.get("layers", {})) or "none"
        if layer is None:
            raise InputError(f"{path}: has no X; name the layer with the values by the key layer (layers: {layers})")
        raise InputError(f"{path}: there is no layer '{layer}' (layer); layers: {layers}")
    with readable(path):
        item = handle[name]
        if isinstance(item, h5py.Group):
            return _sparse_values(item, shape, path)
        _check_matrix(item, shape, path)
        return item


def _check_matrix(item: h5py.Dataset, shape: tuple[int, int], path: Path | str) -> None:
    if item.dtype.kind not in "iufb" or item.dtype.names:
        raise InputError(
            f"{path}: '{item.name}' holds {item.dtype}, not numbers; in Python, `adata.X = adata.X.astype('float32')` "
            "and write the file anew"
        )
    if item.shape != shape:
        raise InputError(f"{path}: '{item.name}' has shape {item.shape}, obs and var have {shape}; write the file anew")
    _check_size(item, path)


def _sparse_values(group: h5py.Group, shape: tuple[int, int], path: Path | str) -> Any:
    kind = str(group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", "nothing")))
    if SPARSE.get(kind, kind) not in SPARSE.values():
        raise InputError(
            f"{path}: '{group.name}' is stored as '{kind}', which is no matrix that is read here; in Python, "
            "`adata.X = scipy.sparse.csr_matrix(adata.X)` and write the file anew"
        )
    by_cell = SPARSE.get(kind, kind) == "csr"
    data, indices, pointers = (group[name] for name in ("data", "indices", "indptr"))
    stated = tuple(int(length) for length in group.attrs.get("shape", group.attrs.get("h5sparse_shape")))
    for piece in (data, indices, pointers):
        _check_size(piece, path)
    lengths = (len(data), len(indices), len(pointers) - 1)
    starts = pointers[()] if lengths[2] == shape[not by_cell] else np.zeros(0, dtype=int)
    whole = len(starts) and starts[0] == 0 and (np.diff(starts) >= 0).all() and starts[-1] == lengths[0]
    if stated != shape or lengths[0] != lengths[1] or not whole or data.dtype.kind not in "iufb":
        raise InputError(
            f"{path}: '{group.name}' says that it has shape {stated}, obs and var have {shape}, and it holds "
            f"{lengths[0]:,} values, {lengths[1]:,} indices and {lengths[2]:,} rows that do not fit; fetch it again or "
            "write it anew"
        )
    return sparse_dataset(group)


def checked_rows(matrix: Any, path: Path | str) -> Any:
    """A matrix in memory, once its indices are within its shape: scipy would read past the end of its memory."""
    if sparse.issparse(matrix) and len(matrix.indices):
        width = matrix.shape[1] if matrix.format == "csr" else matrix.shape[0]
        if matrix.indices.min() < 0 or matrix.indices.max() >= width:
            raise InputError(f"{path}: an index of the sparse values lies beyond {width}; fetch it again")
    return matrix


def read_whole(path: Path | str, layer: str) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
    """A small file at once: its values, those of `layer` if it has that, else X; dense, and the tables obs and var.

    For its errors see `open_h5ad`, `read_frame` and `find_values`.
    """
    with contextlib.closing(open_h5ad(path)) as handle:
        obs, var = (read_frame(handle, name, path) for name in ("obs", "var"))
        with readable(path):
            chosen = layer if layer in handle.get("layers", {}) else None
        values = find_values(handle, chosen, (len(obs), len(var)), path)
        with readable(path):
            if isinstance(values, h5py.Dataset):
                return values[()], obs, var
            return checked_rows(values.to_memory(), path).toarray(), obs, var
