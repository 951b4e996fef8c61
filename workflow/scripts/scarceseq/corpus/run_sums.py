"""Sums of a study's runs, from a text that is read once if the study is small, and in flat memory if it is not."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numba
import numpy as np
import pandas as pd

from scarceseq.archive.gene_sums import Block, SumTooLargeError, columns_to_places, gene_sum_blocks, read_header
from scarceseq.archive.tables import open_gzip

# Runs of a study are held in memory up to this size (1,900 runs of 55,421 genes, in four bytes each); the text of a
# larger study is read a second time.
HELD_BYTES = 400 << 20
# Samples are handed on in pieces of this size: small enough to be in a cache still when they are written.
PIECE_BYTES = 2 << 20
# Samples that come back from a file are read in pieces of this size.
READ_BYTES = 32 << 20


class RunSums:
    """Gene sums of one study's verified file, which has so many genes."""

    def __init__(self, path: str | Path, genes: int) -> None:
        self.path, self.genes = Path(path), genes
        self._held_runs = pd.Index([])
        self._held: np.ndarray | None = None
        with open_gzip(path) as handle:
            self.header = read_header(handle)

    def statistics(self, runs: list[str], checked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Total coverage of each run, and its share of zeros among the `checked` genes, bool, (genes,); float64."""
        totals, zeros = np.zeros(len(runs)), np.zeros(len(runs), dtype=np.int64)
        places = np.arange(len(runs))
        self._held_runs, self._held = pd.Index(runs), self._hold(runs, places, runs)
        if self._held is not None:
            add_up(self._held, checked, totals, zeros)
        else:
            for block in self._blocks(runs, places):
                totals += block.counts.sum(axis=1, dtype=np.float64)
                zeros += (block.counts[:, checked[block.first : block.first + block.rows]] == 0).sum(axis=1)
        return totals, zeros / max(checked.sum(), 1)

    def of_samples(self, experiments: pd.Series, order: list[str]) -> Iterator[np.ndarray]:
        """Yield the coverage of samples, the sum over their runs, in the order wanted; int64, (some samples, genes).

        `experiments` has the sample of each kept run, by run. Raises OverflowError if a sum exceeds 2**63 - 1.
        """
        places = pd.Index(order).get_indexer(experiments)
        if self._held is not None:
            yield from self._of_held(experiments.index, places, order)
            return
        counts = self._hold(experiments.index, places, order)
        if counts is None:
            yield from self._through_file(experiments.index, places, order)
        else:
            for start in range(0, len(order), self._rows(PIECE_BYTES)):
                yield counts[start : start + self._rows(PIECE_BYTES)].astype(np.int64)

    def _rows(self, size: int, kind: type = np.int64) -> int:
        """Rows of all genes that `size` bytes hold."""
        return max(1, size // (np.dtype(kind).itemsize * self.genes))

    def _hold(self, runs: Sequence[str], places: np.ndarray, order: Sequence[str]) -> np.ndarray | None:
        """Sums of samples if all can be held: in four bytes each, unless one is too large for that."""
        for kind in (np.uint32, np.int64):
            if len(order) <= self._rows(HELD_BYTES, kind):
                try:
                    return self._sum(runs, places, order, kind)
                except SumTooLargeError as error:
                    if kind is np.int64:
                        raise self._too_large(order[error.place]) from error
        return None

    def _of_held(self, runs: Sequence[str], places: np.ndarray, order: Sequence[str]) -> Iterator[np.ndarray]:
        assert self._held is not None
        by_place = np.argsort(places, kind="stable")
        rows = self._held_runs.get_indexer(runs)[by_place]
        borders = np.searchsorted(places[by_place], range(len(order) + 1))
        step = self._rows(PIECE_BYTES)
        for start in range(0, len(order), step):
            stop = min(start + step, len(order))
            counts = np.empty((stop - start, self.genes), dtype=np.int64)
            place = sum_rows(self._held, rows, borders[start : stop + 1], counts)
            if place >= 0:
                raise self._too_large(order[start + place])
            yield counts

    def _through_file(self, runs: Sequence[str], places: np.ndarray, order: Sequence[str]) -> Iterator[np.ndarray]:
        """Sums of more samples than are held: slabs, of all samples and some genes, are laid down in a file and read
        back by samples.
        """
        width = max(1, HELD_BYTES // 2 // (8 * len(order)))
        with tempfile.TemporaryFile(dir=self.path.parent) as scratch:
            laid = []  # (first gene, genes, place in the file, type) of each slab
            for first, slab in self._slabs(runs, places, order, width):
                kind = np.dtype(np.int64 if slab.max() >> 32 else np.uint32)
                laid.append((first, slab.shape[1], scratch.tell(), kind))
                scratch.write(np.ascontiguousarray(slab, dtype=kind).data)
            for start in range(0, len(order), self._rows(READ_BYTES)):
                counts = np.empty((min(self._rows(READ_BYTES), len(order) - start), self.genes), dtype=np.int64)
                for first, genes, place, kind in laid:
                    rows = np.empty((len(counts), genes), dtype=kind)
                    scratch.seek(place + start * genes * kind.itemsize)
                    scratch.readinto(rows.data)
                    counts[:, first : first + genes] = rows
                yield counts

    def _slabs(
        self, runs: Sequence[str], places: np.ndarray, order: Sequence[str], width: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """(first gene, sums of all samples over `width` genes), one after the other; the array is used again."""
        slab, filled, first = np.empty((len(order), width), dtype=np.int64), 0, 0
        try:
            for block in self._blocks(runs, places):
                done = 0
                while done < block.rows:
                    taken = min(block.rows - done, width - filled)
                    slab[:, filled : filled + taken] = block.counts[:, done : done + taken]
                    done, filled = done + taken, filled + taken
                    if filled == width:
                        yield first, slab
                        first, filled = first + width, 0
        except SumTooLargeError as error:
            raise self._too_large(order[error.place]) from error
        if filled:
            yield first, slab[:, :filled]

    def _sum(self, runs: Sequence[str], places: np.ndarray, order: Sequence[str], kind: type) -> np.ndarray:
        counts = np.zeros((len(order), self.genes), dtype=kind)
        if len(order):
            for _ in self._blocks(runs, places, counts):
                pass
        return counts

    def _blocks(self, runs: Sequence[str], places: np.ndarray, counts: np.ndarray | None = None) -> Iterator[Block]:
        with open_gzip(self.path) as handle:
            header = read_header(handle)
            yield from gene_sum_blocks(handle, header, None, columns_to_places(header, runs, places), counts)

    def _too_large(self, sample: str) -> OverflowError:
        return OverflowError(f"{self.path}: the runs of {sample} add up to more than 2**63 - 1")


@numba.njit(cache=True, nogil=True, boundscheck=False, fastmath={"reassoc"})
def add_up(sums: np.ndarray, checked: np.ndarray, totals: np.ndarray, zeros: np.ndarray) -> None:
    """Write the total of each row of `sums`, and how many of its `checked` genes are zero, in one pass."""
    for row in range(len(sums)):
        total, nothing = 0.0, 0
        for gene in range(sums.shape[1]):
            total += np.float64(sums[row, gene])
            nothing += (sums[row, gene] == 0) & checked[gene]
        totals[row], zeros[row] = total, nothing


@numba.njit(cache=True, nogil=True, boundscheck=False)
def sum_rows(held: np.ndarray, rows: np.ndarray, borders: np.ndarray, counts: np.ndarray) -> int:
    """Write the sum of rows ``rows[borders[i]:borders[i + 1]]`` of `held`, at least one, to ``counts[i]``; the first
    row of `counts` that exceeds 64 bits, or -1.
    """
    for place in range(len(counts)):
        counts[place] = held[rows[borders[place]]]
        for index in range(borders[place] + 1, borders[place + 1]):
            wrong = np.int64(0)
            for gene in range(counts.shape[1]):
                counts[place, gene] += np.int64(held[rows[index], gene])
                wrong |= counts[place, gene]
            if wrong < 0:
                return place
    return -1
