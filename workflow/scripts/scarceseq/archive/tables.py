"""Reading the tables of a recount3 archive: annotation and metadata."""

import contextlib
import io
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from isal import igzip, isal_zlib

from scarceseq.archive.download import DamagedError, OverLimitError

# Texts of a table that mean a missing value.
MISSING = {"NA": None, "": None}
# Rows of a metadata table that are Python's at a time.
ROWS_AT_ONCE = 1000
ATTRIBUTE = re.compile(r'(\w+) "([^"]*)"')
KEY_COLUMNS = ("rail_id", "external_id", "study")
# No line of these tables comes near.
LINE_BYTES = 16 << 20
# Text of an annotation; those of the archive have some 20 MB.
ANNOTATION_BYTES = 256 << 20


class Bounded(io.RawIOBase):
    """Bytes of an open file, up to a limit: a small packed file may hold a large text."""

    def __init__(self, handle: io.BufferedIOBase, limit: int) -> None:
        self._handle, self._limit, self._left = handle, limit, limit

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As of a file; raises `OverLimitError` behind the limit."""
        read = self._handle.readinto(buffer)
        self._left -= read
        if self._left < 0:
            raise OverLimitError(f"unpacked, it goes on after the limit of {self._limit} bytes")
        return read


@contextlib.contextmanager
def open_gzip(path: str | Path, limit: int | None = None) -> Iterator:
    """Open for reading; whatever is wrong with the compression, or over `limit` bytes, becomes `DamagedError`."""
    try:
        with igzip.open(path, "rb") as handle:
            yield handle if limit is None else io.BufferedReader(Bounded(handle, limit), 1 << 16)
    except (igzip.BadGzipFile, EOFError, isal_zlib.error) as error:
        raise DamagedError(f"not a whole gzip file ({error})") from error


def lines(handle: Any, longest: int = LINE_BYTES) -> Iterator[bytes]:
    """Lines of an open file; one of over `longest` bytes is damage."""
    for line in iter(partial(handle.readline, longest + 1), b""):
        if len(line) > longest:
            raise OverLimitError(f"a line of over {longest} bytes")
        yield line


def read_annotation(path: str | Path) -> pd.DataFrame:
    """Genes of an annotation in file order.

    Returns
    -------
    pandas.DataFrame
        gene_id (versioned), gene_name, gene_type, bp_length (bases of the gene's exons, overlaps counted once; the
        score column of the GTF, not the width on the genome).
    """
    rows = []
    with open_gzip(path, ANNOTATION_BYTES) as handle:
        for index, line in enumerate(lines(handle), start=1):
            if line.startswith(b"#"):
                continue
            fields = line.decode(errors="replace").rstrip("\n").split("\t")
            if len(fields) != 9:
                raise DamagedError(f"line {index}: {len(fields)} fields, a GTF has 9")
            if fields[2] == "gene":
                rows.append(_gene(fields, index))
    genes = pd.DataFrame(rows, columns=["gene_id", "gene_name", "gene_type", "bp_length"])
    if genes.empty:
        raise DamagedError("no genes")
    if genes["gene_id"].duplicated().any():
        twice = genes["gene_id"][genes["gene_id"].duplicated()].iloc[0]
        raise DamagedError(f"gene {twice} occurs twice")
    return genes


def _gene(fields: list[str], index: int) -> tuple[str, Any, Any, int]:
    attributes = dict(ATTRIBUTE.findall(fields[8]))
    try:
        length = int(float(fields[5]))
    except ValueError:
        length = 0
    if "gene_id" not in attributes or length < 1:
        raise DamagedError(f"line {index}: a gene needs a gene_id and its exonic length in the score column")
    gene_id = attributes["gene_id"]
    return gene_id, attributes.get("gene_name", gene_id), attributes.get("gene_type", "unknown"), length


def read_metadata(path: str | Path, columns: Iterable[str] | None = None, limit: int | None = None) -> pd.DataFrame:
    """As `read_text_table`, as a `pandas.DataFrame`."""
    return read_text_table(path, columns, limit)[1].to_pandas()


def read_text_table(
    path: str | Path, columns: Iterable[str] | None = None, limit: int | None = None
) -> tuple[list[str], pa.Table]:
    """One metadata table, every value as text, names in lower case, ``NA`` and blank as missing.

    Neither quotes nor ``#`` mean anything in these tables: texts hold single quotes, and column names begin with ``#``.

    Parameters
    ----------
    columns : iterable of str, optional
        Names of the columns wanted; those that the table lacks are left out. All columns if not given.
    limit : int, optional
        Most bytes of text.

    Returns
    -------
    names : list of str
        Of all columns.
    table : pyarrow.Table
        The columns wanted, in the file's order. Arrow holds short texts in a tenth of the memory of Python's.
    """
    with open_gzip(path, limit) as handle:
        text = lines(handle)
        names = list(_distinct(_fields(next(text, b"").lower())))
        lacking = [name for name in KEY_COLUMNS if name not in names]
        if lacking:
            raise DamagedError(f"no column {', '.join(lacking)}")
        wanted = set(names if columns is None else columns)
        chosen = [index for index, name in enumerate(names) if name in wanted]
        batches, rows, end = [], [], None
        for index, line in enumerate(text, start=2):
            row = _fields(line)
            if row == [""]:
                end = end or index
            elif end or len(row) != len(names):
                raise DamagedError(f"line {end or index}: {len(row)} fields, the header has {len(names)}")
            else:
                rows.append([row[index] for index in chosen])
            if len(rows) == ROWS_AT_ONCE:
                batches.append(_text_batch(rows, len(chosen)))
                rows = []
    batches.append(_text_batch(rows, len(chosen)))
    schema = pa.schema([(names[index], pa.string()) for index in chosen])
    return names, pa.Table.from_batches([pa.RecordBatch.from_arrays(batch, schema=schema) for batch in batches])


def _text_batch(rows: list[list[str]], columns: int) -> list[pa.Array]:
    """Columns of some rows of text as arrays of Arrow."""
    values = zip(*rows, strict=True) if rows else [()] * columns
    return [pa.array([MISSING.get(text, text) for text in column], pa.string()) for column in values]


def _fields(line: bytes) -> list[str]:
    return line.decode(errors="replace").removesuffix("\n").split("\t")


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """Names, the second and further occurrences of one numbered."""
    seen = {}
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        yield f"{name}.{count}" if count else name


def parse_attributes(text: str | None) -> list[tuple[str, str]]:
    """Author-supplied attributes of a run, ``key;;value|key;;value``, as (key, value); none if the text is missing.

    Keys are in lower case with ``_`` for spaces, each once. A key given several values keeps them all, joined by ``|``;
    an empty key or value is left out.
    """
    if not isinstance(text, str):
        return []
    values = {}
    for piece in text.split("|"):
        key, _, value = piece.partition(";;")
        key, value = "_".join(key.lower().split()), value.strip()
        if key and value and value != "NA":
            values.setdefault(key, {})[value] = None
    return [(key, "|".join(given)) for key, given in values.items()]
