"""The one gate for tables from outside: what is read equals what the file says, or the run stops."""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from scarceseq.errors import InputError
from scarceseq.user_cells import read_cells
from scarceseq.user_form import UNNAMED, Form, find_form, is_blank, looks_like_data
from scarceseq.user_text import read_text
from scarceseq.user_values import meant, numbers, trim, unquoted, without_missing_words

log = logging.getLogger(__name__)

# Lines by which separator and header are found; every further line must agree with them.
BEGINNING = 1000
BEGINNING_LENGTH = 2**24
R_OBJECTS = (".rds", ".rda", ".rdata")


@dataclass(frozen=True)
class UserTable:
    """Cells of a table, by column, as text without blanks around it; the header is empty where a name is missing."""

    origin: str
    header: list[str]
    cells: list[pa.ChunkedArray]

    def text(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Some columns, by default all that have a name, as text; a missing word is an empty cell."""
        names = [name for name in self.header if name] if columns is None else list(columns)
        frame = pd.DataFrame({name: self.cells[self.place(name)].to_pandas() for name in names}, columns=names)
        return without_missing_words(frame.astype(object), self.origin)

    def place(self, column: str) -> int:
        """Which column has a name, a ``#`` before it aside; `InputError` if none has, with the names that there are."""
        if column in self.header:
            return self.header.index(column)
        bare = [name.lstrip("#") for name in self.header]
        if column.lstrip("#") in bare:
            return bare.index(column.lstrip("#"))
        near = [name for name in self.header if name.lower() == column.lower()]
        hint = f" (is '{near[0]}' meant?)" if near else ""
        none = "; its first line looks like data: put a line of names above it" if looks_like_data(self.header) else ""
        raise InputError(
            f"{self.origin}: there is no column '{column}'{hint}; the table has {', '.join(self.header[:20])}{none}"
        )

    def numbers(self, places: Sequence[int]) -> np.ndarray:
        """Numbers of some columns, float, (rows, columns), NaN where a cell is missing; `InputError` if one is text."""
        values = np.empty((len(self.cells[0]), len(places)))
        for target, place in enumerate(places):
            values[:, target], wrong = numbers(self.cells[place])
            if wrong.any():
                row = int(wrong.argmax())
                cell, name = self.cells[place][row].as_py(), self.cells[0][row].as_py()
                raise InputError(
                    f"{self.origin} holds text among its numbers ({name}, column {self.header[place]}: "
                    f"'{cell}'{meant(cell)})"
                )
        return values


def read_user_table(
    path: str | Path,
    columns: Sequence[str] = (),
    row_names: bool = False,
    names: Iterable[str] = (),
    repeated_names: bool = False,
) -> UserTable:
    """Read a table of the user.

    Parameters
    ----------
    path : path
        Text (see `scarceseq.user_text.open_text`) with a header, by tabs, commas, semicolons or blanks; lines that
        begin with ``#`` are remarks, but for a header that does. Or a `.parquet`.
    columns : list of str
        That the table must have.
    row_names : bool
        Whether the first column names the rows; then the header may lack its name, as R writes it.
    names : iterable of str
        What the columns may be called, if anything says so.
    repeated_names : bool
        Whether several columns may have one name.

    Raises
    ------
    InputError
        If it is no table, or can be read in two ways.
    """
    origin = str(path)
    if origin.lower().removesuffix(".gz").endswith(R_OBJECTS):
        raise InputError(
            f"{path} holds R objects, which are not read; in R, write the table with "
            'write.table(counts, "counts.tsv", sep = "\\t", quote = FALSE)'
        )
    if origin.lower().endswith(".parquet"):
        table = _from_parquet(path)
    else:
        text = read_text(path)
        form = find_form(_first_lines(text), origin, columns, row_names, names)
        table = _named(read_cells(text, form, origin), form, origin)
    table = _without_blank_rows(table)
    for column in columns:
        table.place(column)
    _check_names(table, row_names, repeated_names)
    return table


def read_columns(path: str | Path, columns: Sequence[str]) -> pd.DataFrame:
    """Named columns of a table of the user as text, missing cells as empty strings; see `read_user_table`."""
    return read_user_table(path, columns).text(columns)


def read_lists_of_ids(path: str | Path) -> list[list[str]]:
    """Cells of every line of a table, its header too; for tables in which the columns may be called anything."""
    table = read_user_table(path, repeated_names=True)
    return [table.header, *map(list, zip(*(column.to_pylist() for column in table.cells), strict=True))]


def read_first_cells(path: str | Path) -> list[str]:
    """First cell of each line that is neither blank nor a remark: a list of names."""
    lines = [line for line in read_text(path).split("\n") if not is_blank(line) and not line.startswith("#")]
    firsts = (trim(unquoted(trim(re.split(r"[\t,;]", line, maxsplit=1)[0]))) for line in lines)
    return [name for name in firsts if name]


def _first_lines(text: str) -> list[str]:
    lines = text[:BEGINNING_LENGTH].split("\n")
    lines = lines[:-1] if len(text) > BEGINNING_LENGTH and len(lines) > 2 else lines
    return lines[:BEGINNING]


def _named(cells: list[pa.ChunkedArray], form: Form, origin: str) -> UserTable:
    """The table with names above its columns; refuses rows of which some look like remarks."""
    hashes = pc.starts_with(cells[0], "#")
    if pc.any(hashes, min_count=0).as_py() and not pc.all(hashes).as_py():
        row = cells[0].filter(hashes)[0].as_py()
        raise InputError(f"{origin}: the line of '{row}' may be a row or a remark: remove it, or its #")
    header = ["" if UNNAMED.match(name) else name for name in form.header]
    if form.cells > len(header):
        last = cells[-1]
        blank = pc.all(pc.equal(last, ""), min_count=0).as_py()
        header = [*header, ""] if blank else ["", *header]
    return UserTable(origin, header, cells)


def _without_blank_rows(table: UserTable) -> UserTable:
    """The table without rows that say nothing, and without nameless columns that say nothing."""
    says = [pc.not_equal(column, "") for column in table.cells]
    kept = says[0]
    for column in says[1:]:
        kept = pc.or_(kept, column)
    lost = len(kept) - (pc.sum(kept).as_py() or 0)
    if lost:
        log.info("%s: %d blank rows are skipped", table.origin, lost)
    used = [at for at, name in enumerate(table.header) if name or at == 0 or pc.any(says[at], min_count=0).as_py()]
    cells = [table.cells[at].filter(kept) if lost else table.cells[at] for at in used]
    if not len(cells[0]):
        raise InputError(f"{table.origin} has no rows below its header")
    return UserTable(table.origin, [table.header[at] for at in used], cells)


def _check_names(table: UserTable, row_names: bool, repeated_names: bool) -> None:
    names = pd.Series(table.header[1:] if row_names else table.header, dtype=str)
    twice = names[names.duplicated() & (names != "")]
    if len(twice) and not repeated_names:
        raise InputError(f"{table.origin} has the column '{twice.iloc[0]}' twice: give each a name of its own")
    if row_names and len(names) == 0:
        raise InputError(f"{table.origin} has one column: names of rows and a column for each sample are wanted")
    if row_names and (names == "").any():
        raise InputError(f"{table.origin}: column {int((names == '').argmax()) + 2} has no name above it: name it")


def _from_parquet(path: str | Path) -> UserTable:
    """Columns of a Parquet file as text."""
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table ({error})") from error
    index = frame.index
    frame = frame.reset_index() if index.name in (None, *frame.columns) and index.dtype == object else frame
    cells = [frame.iloc[:, at].astype(object) for at in range(frame.shape[1])]
    text = [column.where(column.notna(), "").astype(str).map(trim) for column in cells]
    header = ["" if str(name) == "index" and at == 0 else str(name) for at, name in enumerate(frame.columns)]
    return UserTable(str(path), header, [pa.chunked_array([pa.array(column, pa.string())]) for column in text])
