"""A checksum beside each intermediate file, so that the step that reads it notices damage.

Beside ``NAME`` lies ``.NAME.crc32``: one line of JSON with the size of the file, the CRC-32 of each of its blocks, and
the rule that wrote it. A file without one, such as a user's, is read unchecked. A file is checked once per process;
rows of the training matrix are checked block by block, when they are first read.
"""

import functools
import json
import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scarceseq.errors import InputError

try:  # twice as fast
    from isal.isal_zlib import crc32
except ImportError:
    from zlib import crc32

BLOCK_BYTES = 2**18
# Of a mapped matrix that stay with a process, roughly.
HELD_BYTES = 2**30
RULE = "SCARCESEQ_RULE"
"""Variable of the environment with the rule that runs, for processes that a step starts too."""


@dataclass(frozen=True)
class Seal:
    """What a file held when it was written.

    Attributes
    ----------
    path, rule : Path, str
        The file, and the rule that wrote it.
    size, block_bytes : int
        Bytes, and those of every block but the last.
    sums : numpy.ndarray of uint32, (blocks,)
    """

    path: Path
    rule: str
    size: int
    block_bytes: int
    sums: np.ndarray

    def error(self, what: str) -> InputError:
        """The error of a file that is not what was written, with the remedy."""
        remedy = f"delete it and run again: rule {self.rule} makes it anew"
        beside = f"if it was changed on purpose, delete {seal_path(self.path).name} beside it too"
        return InputError(f"{self.path}: damaged since it was written ({what}); {remedy} ({beside})")

    def check_size(self) -> None:
        """Raise `InputError` unless the file has the size that it was written with."""
        size = self.path.stat().st_size
        if size != self.size:
            raise self.error(f"{size} bytes, not {self.size}")

    def check_block(self, block: int, content: Any) -> None:
        """Raise `InputError` unless the bytes of a block have its sum."""
        if crc32(content) != self.sums[block]:
            first = block * self.block_bytes
            raise self.error(f"bytes {first} to {min(first + self.block_bytes, self.size)} differ")


def seal_path(path: Path | str) -> Path:
    """Where the checksum of a file lies: hidden, beside it."""
    path = Path(path)
    return path.with_name(f".{path.name}.crc32")


def write_seal(path: Path | str) -> None:
    """Write the checksum of a file beside it."""
    with open(path, "rb") as handle:
        sums = [crc32(block) for block in iter(lambda: handle.read(BLOCK_BYTES), b"")]
        size = handle.tell()
    seal = {"rule": os.environ.get(RULE, "unknown"), "bytes": size, "block_bytes": BLOCK_BYTES}
    seal_path(path).write_text(json.dumps(seal | {"crc32": "".join(f"{value:08x}" for value in sums)}) + "\n")


def rename_sealed(temporary: Path | str, path: Path | str) -> None:
    """Give a file its name, and its checksum too; a kill in between leaves a file without one, never a wrong one."""
    seal_path(path).unlink(missing_ok=True)
    os.replace(temporary, path)
    os.rename(seal_path(temporary), seal_path(path))


def read_seal(path: Path | str) -> Seal | None:
    """The checksum of a file, None where there is none; `InputError` if the checksum itself is damaged."""
    try:
        text = seal_path(path).read_text()
    except FileNotFoundError:
        return None
    try:
        content = json.loads(text)
        sums = np.frombuffer(bytes.fromhex(content["crc32"]), dtype=">u4").astype(np.uint32)
        seal = Seal(Path(path), str(content["rule"]), int(content["bytes"]), int(content["block_bytes"]), sums)
        if len(sums) != -(-seal.size // seal.block_bytes):
            raise ValueError(f"{len(sums)} sums")
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise InputError(f"{seal_path(path)}: this checksum is damaged ({error}); delete it and {path}") from error
    return seal


def checked(path: Path | str) -> Path | str:
    """The path, once the file is what was written; ``pandas.read_parquet(checked(path))``.

    Else `InputError` names the file and the rule that writes it.
    """
    seal = read_seal(path)
    if seal is not None:
        status = os.stat(path)
        _check_whole(os.path.realpath(path), status.st_mtime_ns, status.st_size, status.st_ino)
    return path


@functools.lru_cache(maxsize=100_000)
def _check_whole(path: str, *_state: int) -> None:
    """Check all blocks of a file; once per process while its state is the same."""
    seal = read_seal(path)
    if seal is None:
        return
    seal.check_size()
    with open(path, "rb") as handle:
        for block in range(len(seal.sums)):
            seal.check_block(block, handle.read(seal.block_bytes))


class SealedRows(np.memmap):
    """A matrix mapped from a ``.npy``, of which rows are checked when they are first read.

    Indexing gives plain arrays. What goes past indexing asks `check_rows` first.
    """

    _seal: Seal | None
    _content: np.ndarray
    _checked: np.ndarray
    _maps: list[mmap.mmap]
    _read_bytes: int

    def __array_finalize__(self, source: Any) -> None:
        super().__array_finalize__(source)
        self._seal = None

    def __getitem__(self, index: Any) -> Any:
        rows = index[0] if isinstance(index, tuple) and index else index
        self.check_rows(np.arange(len(self))[rows])
        return self.view(np.ndarray)[index]

    def check_rows(self, rows: np.ndarray) -> None:
        """Raise `InputError` if a block that holds one of the rows is not what was written."""
        seal = self._seal
        if seal is None:
            return
        row_bytes = self.strides[0]
        self._let_go(np.size(rows) * row_bytes)
        first = self.offset + np.atleast_1d(rows).ravel() * row_bytes
        last = (first + row_bytes - 1) // seal.block_bytes
        first //= seal.block_bytes
        longest = int((last - first).max(initial=0)) + 1
        blocks = np.unique(np.minimum(first[:, None] + np.arange(longest), last[:, None]))
        for block in blocks[~self._checked[blocks]].tolist():
            start = block * seal.block_bytes
            seal.check_block(block, self._content[start : start + seal.block_bytes])
            self._checked[block] = True
            self._let_go(seal.block_bytes)

    def _let_go(self, more_bytes: int) -> None:
        """Now and then take what was read out of this process's memory; the kernel keeps it in the cache of files.

        Else a corpus that is read through would count as memory of the job, twice.
        """
        self._read_bytes += more_bytes
        if self._read_bytes > HELD_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            self._read_bytes = 0
            for mapped in self._maps:
                mapped.madvise(mmap.MADV_DONTNEED)


def load_rows(path: Path | str) -> np.ndarray:
    """Map a matrix, (rows, columns), from a ``.npy`` in C order; its rows are checked when they are first read.

    `InputError` if its size is not that with which it was written.
    """
    seal = read_seal(path)
    if seal is None:
        return np.load(path, mmap_mode="r")
    seal.check_size()
    content = np.memmap(path, dtype=np.uint8, mode="r")
    header = content[: seal.block_bytes]
    seal.check_block(0, header)
    matrix = np.load(path, mmap_mode="r").view(SealedRows)
    matrix._seal, matrix._content = seal, content.view(np.ndarray)
    matrix._maps = [mapped._mmap for mapped in (content, matrix)]
    matrix._read_bytes = 0
    matrix._checked = np.zeros(len(seal.sums), dtype=bool)
    return matrix
