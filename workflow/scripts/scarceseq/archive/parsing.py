"""Loops over the text of gene sums, compiled: a reader of tables spends its time on what these tables never hold.

All text is bytes that end with a newline behind the last row. Values are int64 and exact.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.extending import intrinsic

TAB, NEWLINE, RETURN, MINUS, ZERO = 9, 10, 13, 45, 48
LARGEST = np.uint64(2**63 - 1)
DIGITS = 19  # of 2**63 - 1; whatever has 19 digits fits into 64 bits without a sign

# Genes turned at once, from genes x runs to samples x genes, so that both sides stay in a near cache.
TILE = 32

# A plain value has up to 18 digits, whatever they are; up to 8 of them are read as one word of memory.
PLAIN_DIGITS, WORD_BYTES = 18, 8
# Bytes whose properties are counted in one byte.
SUMMED = 192
NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
PAIRS = np.uint64(0x000000FF000000FF)
HUNDRED_AND_MILLION = np.uint64(100 + (1000000 << 32))
ONE_AND_TEN_THOUSAND = np.uint64(1 + (10000 << 32))

# What `parse_rows` found.
GOOD, BLANK, NEGATIVE, NOT_WHOLE, SHORT, LONG, TOO_LARGE = range(7)


@numba.njit(cache=True, nogil=True, boundscheck=False)
def behind_last_newline(text: np.ndarray, filled: int) -> int:
    """Number of the first `filled` bytes that hold whole lines."""
    while filled and text[filled - 1] != NEWLINE:
        filled -= 1
    return filled


@intrinsic
def load_word(typing_context: Any, text: Any, position: Any) -> tuple[Any, Callable]:
    """Eight bytes of a text from `position` on, the first the lowest: an unaligned load, which numpy cannot say."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(64).as_pointer())
        word = builder.load(pointer)
        word.align = 1
        return word

    return numba.types.uint64(text, numba.types.intp), generate


@numba.njit(cache=True, nogil=True, boundscheck=False)
def find_separators(text: np.ndarray, stop: int, positions: np.ndarray) -> int:
    """Write where the tabs and newlines of ``text[:stop]`` are; returns how many.

    `positions` is int32, and one longer than there are separators.
    """
    separators = 0
    for position in range(stop):
        positions[separators] = position
        separators += np.uint8(text[position] - np.uint8(TAB)) < np.uint8(2)  # without a branch, which would be a guess
    return separators


@numba.njit(cache=True, nogil=True, boundscheck=False)
def plain_rows(
    text: np.ndarray, stop: int, positions: np.ndarray, separators: int, runs: int, spans: np.ndarray
) -> int:
    """Number of rows if they are all good beyond doubt, or -1; writes `spans` as `parse_rows` does.

    They are if each has an identifier and `runs` values of 1 to 18 bytes, a newline behind the last and tabs behind
    the others, and there are no more bytes that are neither digits nor separators than the identifiers have.
    `positions` and `separators` are from `find_separators`.
    """
    width = runs + 1
    rows = separators // width
    if rows * width != separators or rows > len(spans):
        return -1
    wrong, others, begin = 0, 0, 0
    for row in range(rows):
        first = row * width
        spans[row, 0], spans[row, 1] = begin, positions[first]
        for position in range(begin, positions[first]):
            others -= np.int64(is_odd(text[position]))
        for index in range(first + 1, first + width):
            wrong += np.uint32(positions[index] - positions[index - 1] - 2) >= np.uint32(PLAIN_DIGITS)
        wrong += text[positions[first + runs]] != NEWLINE
        begin = positions[first + runs] + 1
    newlines, odd = count_letters(text, stop)
    return rows if newlines == rows and not wrong and not odd + others else -1


@numba.njit(cache=True, nogil=True, boundscheck=False)
def count_letters(text: np.ndarray, stop: int) -> tuple[int, int]:
    """Number of newlines in ``text[:stop]``, and of bytes that are neither digits, tabs nor newlines."""
    newlines, odd, begin = 0, 0, 0
    while begin < stop:
        some_newlines, some_odd = np.uint8(0), np.uint8(0)  # so narrow that many are added at once
        if begin + SUMMED <= stop:
            for offset in range(SUMMED):
                letter = text[begin + offset]
                some_newlines = np.uint8(some_newlines + is_newline(letter))
                some_odd = np.uint8(some_odd + is_odd(letter))
        else:
            for position in range(begin, stop):
                some_newlines = np.uint8(some_newlines + is_newline(text[position]))
                some_odd = np.uint8(some_odd + is_odd(text[position]))
        newlines += np.int64(some_newlines)
        odd += np.int64(some_odd)
        begin += SUMMED
    return newlines, odd


@numba.njit(inline="always")
def is_newline(letter: np.uint8) -> np.uint8:
    """1 for a newline, else 0."""
    return np.uint8(letter == np.uint8(NEWLINE))


@numba.njit(inline="always")
def is_odd(letter: np.uint8) -> np.uint8:
    """1 for what is neither a digit nor a separator, else 0."""
    digit = np.uint8(letter - np.uint8(ZERO)) <= np.uint8(9)
    return np.uint8(not (digit | (np.uint8(letter - np.uint8(TAB)) <= np.uint8(1))))


@numba.njit(cache=True, nogil=True, boundscheck=False)
def add_plain_rows(
    text: np.ndarray, positions: np.ndarray, rows: int, places: np.ndarray, counts: np.ndarray, first: int
) -> int:
    """Add the values of rows that `plain_rows` counted to samples; the column whose sample is too large then, or -1.

    `positions` are from `find_separators`; the rest is as of `parse_rows`.
    """
    runs = len(places)
    tile = np.empty((TILE, runs), dtype=np.int64)
    for row in range(rows):
        index, line = row * (runs + 1), row % TILE
        for column in range(runs):
            if places[column] >= 0:
                begin, end = positions[index + column] + 1, positions[index + column + 1]
                tile[line, column] = plain_value(text, begin, end)
        if (row + 1) % TILE == 0 or row + 1 == rows:
            start = row // TILE * TILE
            too_large = add_tile(tile, row + 1 - start, places, counts, first + start)
            if too_large >= 0:
                return too_large
    return -1


@numba.njit(cache=True, nogil=True, boundscheck=False)
def plain_value(text: np.ndarray, begin: int, end: int) -> np.int64:
    """Number of up to 18 digits; that of up to 8 without a branch for each digit.

    The digits are the high bytes of the word that ends with them, and zeros are shifted in below; then neighbours are
    joined to numbers below 100, and these by two products (D. Lemire, "Quickly parsing eight digits", 2018).
    """
    length = end - begin
    if length > WORD_BYTES or end < WORD_BYTES:
        value = np.int64(0)
        for position in range(begin, end):
            value = value * 10 + (np.int64(text[position]) - ZERO)
        return value
    unwanted = np.uint64(8 * (WORD_BYTES - length))
    word = ((load_word(text, end - WORD_BYTES) >> unwanted) << unwanted) & NIBBLES  # type: ignore[call-arg]
    word = word * np.uint64(10) + (word >> np.uint64(8))
    high = (word & PAIRS) * HUNDRED_AND_MILLION
    low = ((word >> np.uint64(16)) & PAIRS) * ONE_AND_TEN_THOUSAND
    return np.int64((high + low) >> np.uint64(32))


@numba.njit(cache=True, nogil=True, boundscheck=False)
def add_tile(tile: np.ndarray, rows: int, places: np.ndarray, counts: np.ndarray, first: int) -> int:
    """Add a few genes of all columns to their samples; the first column whose sample is too large then, or -1."""
    largest = np.int64(np.iinfo(counts.dtype).max)
    stop = min(rows, counts.shape[1] - first)
    for column in range(len(places)):
        place = places[column]
        if place >= 0:
            for row in range(stop):
                added = np.int64(counts[place, first + row]) + tile[row, column]
                if added < 0 or added > largest:
                    return column
                counts[place, first + row] = added
    return -1


@numba.njit(cache=True, nogil=True, boundscheck=False)
def parse_rows(
    text: np.ndarray, stop: int, spans: np.ndarray, places: np.ndarray, counts: np.ndarray, first: int
) -> tuple[int, int, int, int]:
    """Parse rows of an identifier and whole numbers, separated by tabs; add the numbers to samples.

    Parameters
    ----------
    text, stop : array of uint8, int
        ``text[stop - 1]`` is a newline, and the end.
    spans : array of int64 (rows, 2)
        Takes where each identifier begins and ends; one row more than the text can hold good ones.
    places : array of int64 (runs,)
        Row of `counts` that each column is added to; -1 for none.
    counts : array of int64 or uint32 (samples, genes)
        Changed, from gene `first` on. Values of further rows are checked and not added.

    Returns
    -------
    rows, problem : int
        Good rows; `GOOD`, or what is wrong with the row behind them.
    column, begin : int
        Of the problem, among the values and in the text.
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
def first_mismatch(
    text: np.ndarray, spans: np.ndarray, rows: int, names: np.ndarray, ends: np.ndarray, first: int
) -> int:
    """Index of the first of `rows` identifiers that is not the expected one; `rows` if there is none.

    Parameters
    ----------
    text, spans
        As of `parse_rows`.
    names, ends : array of uint8, array of int64
        Expected identifiers, joined, and where each ends.
    first : int
        Index of the expected identifier of the first row.
    """
    for row in range(rows):
        if first + row >= len(ends):
            return row
        begin = ends[first + row - 1] if first + row else 0
        length = ends[first + row] - begin
        start = spans[row, 0]
        if spans[row, 1] - start != length:
            return row
        offset = 0
        while offset + WORD_BYTES <= length:
            if load_word(text, start + offset) != load_word(names, begin + offset):  # type: ignore[call-arg]
                return row
            offset += WORD_BYTES
        for rest in range(offset, length):
            if text[start + rest] != names[begin + rest]:
                return row
    return rows
