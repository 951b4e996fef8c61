"""Workbooks for a spreadsheet: gene names stay texts, nothing runs, equal tables are equal bytes."""

import re
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from scarceseq.files import atomic
from scarceseq.safe_text import safe_table, without_control

EPOCH = (1980, 1, 1, 0, 0, 0)
WHEN = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
WIDEST = 40


def write_workbook(sheets: Mapping[str, pd.DataFrame], path: str | Path) -> None:
    """Write tables as the sheets of an .xlsx, without their index; a missing value is an empty cell.

    Texts that a spreadsheet could run are written by `scarceseq.safe_text.safe_cell`, as in the tables beside it.
    Titles have at most 31 characters.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.remove(book.active)
    for title, frame in sheets.items():
        sheet, safe = book.create_sheet(title), safe_table(frame)
        columns = [[_cell(name), *map(_cell, safe.iloc[:, place].tolist())] for place, name in enumerate(safe.columns)]
        for row in zip(*columns, strict=True):
            sheet.append(row)
        for place, column in enumerate(columns, start=1):
            sheet.cell(1, place).font = Font(bold=True)
            longest = max(len(str(value)) for value in column if value is not None)
            sheet.column_dimensions[get_column_letter(place)].width = min(longest + 2, WIDEST)
        sheet.freeze_panes = "A2"
    written = BytesIO()
    book.save(written)
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as target:
        _copy_without_times(written, target)


def _copy_without_times(source: BytesIO, target: zipfile.ZipFile) -> None:
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "docProps/core.xml":
                content = WHEN.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            target.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)


def _cell(value: Any) -> Any:
    """What a cell holds."""
    if isinstance(value, str):
        return without_control(value)
    return None if pd.isna(value) else value
