"""Cells of the lines of a user's table: every line is a row, a remark or blank, or the reader stops."""

import logging
import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from scarceseq.errors import InputError
from scarceseq.user_form import Form, StrayQuoteError, is_blank, splitter
from scarceseq.user_values import BLANKS, trim, unquoted

log = logging.getLogger(__name__)

BLOCK_BYTES = 2**27


def read_cells(text: str, form: Form, origin: str) -> list[pa.ChunkedArray]:
    """Columns of a table as text without blanks around it; lines end with ``\\n``, `origin` is the file."""
    body = text.split("\n", form.first_row)[form.first_row] if text.count("\n") >= form.first_row else ""
    body = body.rstrip("\n")
    if not body:
        return [pa.chunked_array([pa.array([], pa.string())])] * form.cells
    if form.separator not in ("", "\t") and '"' in body:
        return _by_line(body.split("\n"), form, origin)
    separator = form.separator or "\t"
    if separator == " " and re.search(r"  |\t|^ | $|\n | \n", body):
        body = re.sub(r"[ \t]+", " ", re.sub(r"(?m)^[ \t]+|[ \t]+$", "", body)).rstrip("\n")
    return _by_arrow(body, separator, form, origin)


def _by_arrow(body: str, separator: str, form: Form, origin: str) -> list[pa.ChunkedArray]:
    """Cells of lines in which quotes do not hide a separator; every line must have as many."""
    skipped: list[pa.csv.InvalidRow] = []
    bad: list[pa.csv.InvalidRow] = []

    def judge(row: pa.csv.InvalidRow) -> str:
        kept = not is_blank(row.text) and not row.text.startswith("#")
        (bad if kept else skipped).append(row)
        return "error" if kept else "skip"

    names = [str(place) for place in range(form.cells)]
    data = body.encode()
    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(data),
            pyarrow.csv.ReadOptions(column_names=names, use_threads=False, block_size=min(len(data) + 1, BLOCK_BYTES)),
            pyarrow.csv.ParseOptions(
                delimiter=separator, quote_char=False, ignore_empty_lines=False, invalid_row_handler=judge
            ),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        if not bad:
            raise InputError(f"{origin} cannot be read as a table ({error})") from error
        raise InputError(_wrong_width(origin, bad[0].number + form.first_row, bad[0].actual_columns, form)) from error
    if len(table) + len(skipped) != body.count("\n") + 1:
        raise InputError(f"{origin}: {body.count(chr(10)) + 1} lines gave {len(table)} rows; the table is damaged")
    if skipped:
        log.info("%s: %d blank lines and remarks among the rows are skipped", origin, len(skipped))
    return [_clean(table.column(name)) for name in names]


def _wrong_width(origin: str, line: int, cells: int, form: Form) -> str:
    said = f"{origin}: line {line} has {cells} cells, the others have {form.cells}"
    return f"{said}: mend the line, or begin a remark with #"


def _clean(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells without blanks around them, and without quotes that enclose them."""
    cells = pc.utf8_trim(cells, characters=BLANKS)
    if pc.any(pc.starts_with(cells, '"'), min_count=0).as_py():
        cells = pa.chunked_array([pa.array([trim(unquoted(cell)) for cell in cells.to_pylist()], pa.string())])
    return cells


def _by_line(lines: list[str], form: Form, origin: str) -> list[pa.ChunkedArray]:
    """Cells of lines in which some are in quotes."""
    split, rows = splitter(form.separator), []
    for at, line in enumerate(lines, start=form.first_row + 1):
        if is_blank(line):
            continue
        try:
            cells = split(line)
        except StrayQuoteError as error:
            raise InputError(
                f"{origin}: line {at} opens a quote that its cell does not close ({error}): remove or double the "
                "quote; a cell cannot go on in the next line"
            ) from error
        if len(cells) == form.cells:
            rows.append(cells)
        elif not line.startswith("#"):
            raise InputError(_wrong_width(origin, at, len(cells), form))
    columns = zip(*rows, strict=True) if rows else [()] * form.cells
    return [pa.chunked_array([pa.array(column, pa.string())]) for column in columns]
