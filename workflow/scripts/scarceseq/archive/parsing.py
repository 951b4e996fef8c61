"""Loops over the text of gene sums, compiled: a reader of tables spends its time on what these tables never hold.

All text is bytes that end with a newline behind the last row. Values are int64 and exact.
"""

import numba
import numpy as np

TAB, NEWLINE, RETURN, MINUS, ZERO = 9, 10, 13, 45, 48
LARGEST = np.uint64(2**63 - 1)
DIGITS = 19  # of 2**63 - 1; whatever has 19 digits fits into 64 bits without a sign

# Genes turned at once, from genes x runs to samples x genes, so that both sides stay in a near cache.
TILE = 32

# What `parse_rows` found.
GOOD, BLANK, NEGATIVE, NOT_WHOLE, SHORT, LONG, TOO_LARGE = range(7)


@numba.njit(cache=True, nogil=True, boundscheck=False)
def behind_last_newline(text, filled):
    """Number of the first `filled` bytes that hold whole lines."""
    while filled and text[filled - 1] != NEWLINE:
        filled -= 1
    return filled


@numba.njit(cache=True, nogil=True, boundscheck=False)
def add_tile(tile, rows, places, counts, first):
    """Add a few genes of all columns to their samples; the first column whose sample is too large then, or -1."""
    stop = min(rows, counts.shape[1] - first)
    for column in range(len(places)):
        place = places[column]
        if place >= 0:
            for row in range(stop):
                added = counts[place, first + row] + tile[row, column]
                if added < 0:
                    return column
                counts[place, first + row] = added
    return -1


@numba.njit(cache=True, nogil=True, boundscheck=False)
def parse_rows(text, stop, spans, places, counts, first):
    """Parse rows of an identifier and whole numbers, separated by tabs; add the numbers to samples.

    Parameters
    ----------
    text : array of uint8
    stop : int
        End of the text; ``text[stop - 1]`` is a newline.
    spans : array of int64 (rows, 2)
        Takes where each identifier begins and ends; one row more than the text can hold good ones.
    places : array of int64 (runs,)
        Row of `counts` that each column is added to; -1 for none.
    counts : array of int64 (samples, genes)
        Changed, from gene `first` on. Values of further rows are checked and not added.
    first : int

    Returns
    -------
    rows : int
        Good rows.
    problem : int
        `GOOD`, or what is wrong with the row behind the good ones.
    column : int
        Of the problem, among the values.
    begin : int
        Of the problem, in the text.
    """
    runs = len(places)
    tile = np.empty((TILE, runs), dtype=np.int64)
    position, row, begin = 0, 0, 0
    while position < stop:
        spans[row, 0] = position
        while text[position] != TAB and text[position] != NEWLINE:
            position += 1
        spans[row, 1] = position
        for column in range(runs):
            if text[position] != TAB:
                return row, SHORT, column, spans[row, 0]
            position += 1
            begin = position
            value = np.uint64(0)
            digit = np.int64(text[position]) - ZERO
            while 0 <= digit <= 9:
                value = value * np.uint64(10) + np.uint64(digit)
                position += 1
                digit = np.int64(text[position]) - ZERO
            length = position - begin
            if text[position] == RETURN and text[position + 1] == NEWLINE:
                position += 1
            if text[position] != TAB and text[position] != NEWLINE:
                return row, (NEGATIVE if text[begin] == MINUS else NOT_WHOLE), column, begin
            if length == 0:
                return row, BLANK, column, begin
            if length > DIGITS or value > LARGEST:
                return row, NOT_WHOLE, column, begin
            tile[row % TILE, column] = np.int64(value)
        if text[position] != NEWLINE:
            return row, LONG, runs, spans[row, 0]
        position += 1
        row += 1
        if row % TILE == 0 or position >= stop:
            start = (row - 1) // TILE * TILE
            too_large = add_tile(tile, row - start, places, counts, first + start)
            if too_large >= 0:
                return row, TOO_LARGE, too_large, begin
    return row, GOOD, 0, 0


@numba.njit(cache=True, nogil=True, boundscheck=False)
def first_mismatch(text, spans, rows, names, ends, first):
    """Index of the first of `rows` identifiers that is not the expected one; `rows` if there is none.

    Parameters
    ----------
    text, spans
        As of `parse_rows`.
    names : array of uint8
        Expected identifiers, joined.
    ends : array of int64
        Where each expected identifier ends in `names`.
    first : int
        Index of the expected identifier of the first row.
    """
    for row in range(rows):
        if first + row >= len(ends):
            return row
        begin = ends[first + row - 1] if first + row else 0
        length = ends[first + row] - begin
        if spans[row, 1] - spans[row, 0] != length:
            return row
        for offset in range(length):
            if text[spans[row, 0] + offset] != names[begin + offset]:
                return row
    return rows
