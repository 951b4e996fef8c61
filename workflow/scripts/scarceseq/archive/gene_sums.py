"""Reading gene sums: one pass over the text, in blocks that fit into a cache, whatever the number of runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase

import numpy as np

from scarceseq.archive import parsing
from scarceseq.archive.download import DamagedError
from scarceseq.archive.tables import lines

# Text parsed at once: with what is known of it, it stays in a near cache.
BLOCK_BYTES = 512 << 10
# No row of the archive comes near.
LINE_BYTES = 64 << 20


@dataclass(frozen=True)
class Header:
    """First lines of a gene-sums file: annotation code, and the runs in the order of the columns."""

    annotation: str
    runs: list[str]


def read_header(handle: BufferedIOBase) -> Header:
    """Header of an open gene-sums file; the next line read is the first gene."""
    annotation, line = None, b""
    for line in lines(handle, LINE_BYTES):
        if not line.startswith(b"##"):
            break
        if line.startswith(b"##annotation="):
            annotation = line.decode(errors="replace").strip().split("=", 1)[1]
    if annotation is None:
        raise DamagedError("the first line is not '##annotation=...'")
    names = line.decode(errors="replace").rstrip("\r\n").split("\t")
    if names[0] != "gene_id" or len(names) < 2:
        raise DamagedError("the header line is not 'gene_id' and runs, separated by tabs")
    return Header(annotation, names[1:])


class GeneNames:
    """Gene identifiers in the form in which blocks of text are compared with them: joined, and where each ends."""

    def __init__(self, gene_ids: list[str]) -> None:
        encoded = [name.encode() for name in gene_ids]
        self.ids = gene_ids
        self.text = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        self.ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)


class SumTooLargeError(OverflowError):
    """Runs of one sample add up to more than their numbers' type holds; `place` is the sample's row."""

    def __init__(self, place: int) -> None:
        super().__init__(f"row {place}")
        self.place = place


@dataclass(frozen=True)
class Block:
    """Some genes of a file. Text and spans are used again for the next block.

    Attributes
    ----------
    first, rows : int
        Index of the first gene; number of genes.
    counts : numpy.ndarray
        int64, (samples, genes of the block): coverage summed over the gene's exonic bases. Values beyond 2**31 occur.
    text, spans : numpy.ndarray
        Where the identifiers are.
    """

    first: int
    rows: int
    counts: np.ndarray
    text: np.ndarray
    spans: np.ndarray

    def gene_id(self, row: int) -> str:
        """Identifier of one row."""
        begin, end = self.spans[row]
        return self.text[begin:end].tobytes().decode(errors="replace")


def gene_sum_blocks(
    handle: BufferedIOBase,
    header: Header,
    names: GeneNames | None = None,
    places: np.ndarray | None = None,
    counts: np.ndarray | None = None,
) -> Iterator[Block]:
    """Blocks of an open gene-sums file behind its header; memory is flat in rows and runs.

    Parameters
    ----------
    names : GeneNames, optional
        Genes that the rows must have, in order.
    places : numpy.ndarray, optional
        int64, (runs,): sample that each column is added to, -1 for none; no column is kept if not given.
    counts : numpy.ndarray, optional
        int64 or uint32, (samples, all genes): the sums are added to it. If not given, each block brings int64 sums.

    Raises
    ------
    DamagedError
        For a cell that is not a whole number from 0 to 2**63 - 1, a row of another length, a gene out of order, and
        genes too many or too few.
    SumTooLargeError
    """
    first, scratch = 0, _Scratch(len(header.runs))
    places = np.full(len(header.runs), -1, dtype=np.int64) if places is None else places
    samples = int(places.max()) + 1
    for text, stop in line_blocks(handle):
        if counts is None:
            genes = np.count_nonzero(text[:stop] == parsing.NEWLINE) if samples else 0
            target, start = np.zeros((samples, genes), dtype=np.int64), 0
        else:
            target, start = counts, first
        rows = scratch.parse(text, stop, places, target, start, first)
        block = Block(first, rows, target[:, start : start + rows], text, scratch.spans)
        if names is not None:
            _check_order(block, names)
        yield block
        first += rows
    if names is not None and first != len(names.ids):
        raise DamagedError(f"{first} genes, the annotation {header.annotation} has {len(names.ids)}")


class _Scratch:
    """Arrays that parsing a block needs, used again for the next; `spans`, (rows, 2), are its identifiers' places."""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self.spans = np.empty((0, 2), dtype=np.int64)
        self._positions = np.empty(0, dtype=np.int32)

    def parse(
        self, text: np.ndarray, stop: int, places: np.ndarray, counts: np.ndarray, first: int, genes_before: int
    ) -> int:
        """Parse a block and add it to `counts`, from gene `first` on; returns the number of rows.

        A block whose rows are good beyond doubt takes the fast way, any other is parsed cell by cell, which judges it.
        """
        capacity = stop // (2 * self.runs + 1) + 1  # a good row has two bytes for each run, and a newline
        if capacity > len(self.spans):
            self.spans = np.empty((capacity, 2), dtype=np.int64)
        if stop >= len(self._positions):
            self._positions = np.empty(stop + 1, dtype=np.int32)
        separators = parsing.find_separators(text, stop, self._positions)
        rows = parsing.plain_rows(text, stop, self._positions, separators, self.runs, self.spans)
        if rows < 0:
            rows, problem, column, begin = parsing.parse_rows(text, stop, self.spans, places, counts, first)
        else:
            column = parsing.add_plain_rows(text, self._positions, rows, places, counts, first) if counts.size else -1
            problem, begin = (parsing.GOOD if column < 0 else parsing.TOO_LARGE), 0
        if problem == parsing.TOO_LARGE:
            raise SumTooLargeError(int(places[column]))
        if problem != parsing.GOOD:
            raise DamagedError(_problem_words(problem, genes_before + rows + 1, column, text[begin:stop]))
        return rows


def line_blocks(handle: BufferedIOBase) -> Iterator[tuple[np.ndarray, int]]:
    """(array of uint8, number of its bytes that hold whole lines), again and again; a newline ends the last line."""
    text, filled = np.empty(BLOCK_BYTES, dtype=np.uint8), 0
    while True:
        if filled + 1 >= len(text):  # a line longer than the block
            if len(text) > LINE_BYTES:
                raise DamagedError(f"a line of over {LINE_BYTES} bytes")
            text = np.concatenate([text, np.empty_like(text)])
        read = handle.readinto(text[filled:-1].data)
        if not read:
            break
        filled += read
        stop = parsing.behind_last_newline(text, filled)
        if stop:
            yield text, stop
            filled -= stop
            text[:filled] = text[stop : stop + filled]
    if filled:
        text[filled] = parsing.NEWLINE
        yield text, filled + 1


def _problem_words(problem: int, row: int, column: int, rest: np.ndarray) -> str:
    cell = rest[:40].tobytes().split(b"\n")[0].split(b"\t")[0].decode(errors="replace")
    place = f"gene {row}, column {column + 1} of values"
    return {
        parsing.BLANK: f"blank cells ({place})",
        parsing.NEGATIVE: f"negative values ({place}: {cell})",
        parsing.NOT_WHOLE: f"not whole numbers throughout, or beyond 2**63 - 1 ({place}: {cell})",
        parsing.SHORT: f"not whole numbers throughout (gene {row} has only {column} values)",
        parsing.LONG: f"not whole numbers throughout (gene {row} has more values than the header has runs)",
    }[problem]


def _check_order(block: Block, names: GeneNames) -> None:
    row = parsing.first_mismatch(block.text, block.spans, block.rows, names.text, names.ends, block.first)
    if row < block.rows:
        index = block.first + row
        want = names.ids[index] if index < len(names.ids) else "(end)"
        raise DamagedError(f"gene {index + 1}: {block.gene_id(row)} where the annotation has {want}")


def columns_to_places(header: Header, runs: Iterable[str], places: Iterable[int]) -> np.ndarray:
    """Place of each column of a file, int64, (columns,): that of its run, or -1. Each of `runs` has a column."""
    column = {run: index for index, run in enumerate(header.runs)}
    of_columns = np.full(len(header.runs), -1, dtype=np.int64)
    of_columns[[column[run] for run in runs]] = places
    return of_columns
