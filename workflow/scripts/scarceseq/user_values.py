"""What a cell of a user's table means: missing, a number, or a text. Nothing is guessed."""

import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from scarceseq.errors import InputError

log = logging.getLogger(__name__)

# A cell that is one of these says nothing; the one list for labels, names and numbers alike. Case counts: `none` and
# `Na` are values.
MISSING_WORDS = (
    *("", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "NULL", "null", "None"),
    *("-", "--", ".", "?"),
)
# Beside what Unicode calls blank: zero-width blanks and the byte order mark, which joined files have amid them.
BLANKS = (
    " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
)
BLANKS += "\u2028\u2029\u202f\u205f\u3000\u200b\u2060\ufeff"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
# What a cell that is no number may have been meant as, and what to do.
NEAR_NUMBERS = (
    (r"(?i)true|false|yes|no", "a truth value, which is no number"),
    (r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", "it has thousands separators, or a decimal comma: write 1234.5"),
    (r"[+-]?\d+,\d+(e[+-]?\d+)?", "it has a decimal comma: write a point"),
    (r"[+-]?\d{1,3}([ '’\xa0\u202f]\d{3})+([.,]\d+)?", "it has thousands separators: write 1234.5"),
    (r"[+-]?\d{1,3}(\.\d{3}){2,}(,\d+)?|[+-]?\d{1,3}(\.\d{3})+,\d+", "it has thousands separators: write 1234.5"),
    (r"[+-]?[\d.,]+ ?%", "a percentage: write a plain number"),
    (r"(?i)[+-]?inf(inity)?", "it is infinite"),
    (r"(?i)#(div/0|ref|value|name|num|null)[!?]?", "an error of a spreadsheet: mend the formula"),
)


def trim(text: str) -> str:
    """A text without the blanks around it."""
    return text.strip(BLANKS)


def unquoted(cell: str) -> str:
    """A cell without the quotes that enclose it as a whole; any other quote is text."""
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        inner = cell[1:-1].replace('""', "\x00")
        if '"' not in inner:
            return inner.replace("\x00", '"')
    return cell


def without_missing_words(frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """Text in which a missing word is an empty cell; the log says how many cells each word had."""
    missing = frame.isin(MISSING_WORDS)
    for column in frame.columns:
        words = frame.loc[missing[column], column].value_counts()
        for word, cells in words.items():
            if word:
                log.info("%s, column %s: %d cells say '%s' and are taken as missing", path, column, cells, word)
    return frame.mask(missing, "")


def missing_to_none(frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """As `without_missing_words`, a missing cell as None."""
    frame = without_missing_words(frame, path).astype(object)
    return frame.where(frame != "", None)


def numbers(cells: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers that cells say, NaN where one is missing or no number, and which cells are neither; both (cells,)."""
    numeric = pc.match_substring_regex(cells, NUMBER)
    if pc.all(numeric, min_count=0).as_py():
        return pc.cast(_without_plus(cells), pa.float64()).to_numpy(), np.zeros(len(cells), dtype=bool)
    missing = pc.is_in(cells, value_set=pa.array(MISSING_WORDS))
    kept = pc.if_else(numeric, cells, pa.scalar(None, pa.string()))
    values = pc.cast(_without_plus(kept), pa.float64()).to_numpy(zero_copy_only=False)
    return values, ~pc.or_(numeric, missing).to_numpy(zero_copy_only=False)


def _without_plus(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring_regex(cells, pattern=r"^\+", replacement="")


def column_of_numbers(cells: pd.Series, name: str, path: str | Path) -> np.ndarray:
    """Numbers of a column of text, NaN where a cell is missing.

    `InputError` for a cell that is neither says which row it is in, and what it may have been meant as.
    """
    values, wrong = numbers(pa.chunked_array([pa.array(cells, pa.string())]))
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{path}: the {name} '{cells.iloc[row]}' (row {row + 1}) is no number{meant(cells.iloc[row])}; "
            f"{int(wrong.sum())} cells are not"
        )
    return values


def meant(cell: str) -> str:
    """ ": it has a decimal comma, ...": what a cell that is no number may have been meant as."""
    for pattern, said in NEAR_NUMBERS:
        if re.fullmatch(pattern, cell):
            return f" ({said})"
    return ""
