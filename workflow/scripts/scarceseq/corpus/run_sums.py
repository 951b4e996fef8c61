"""Sums of a study's runs, from a text that is read once if the study is small, and in flat memory if it is not."""

import numpy as np
import pandas as pd

from scarceseq.archive.gene_sums import SumTooLargeError, columns_to_places, gene_sum_blocks, read_header
from scarceseq.archive.tables import open_gzip

# Runs of a study are held in memory up to this size; the text of a larger study is read a second time.
HELD_BYTES = 256 << 20


class RunSums:
    """Gene sums of one study's verified file.

    Parameters
    ----------
    path : path
    genes : int
        Rows of the file.

    Attributes
    ----------
    header : Header
    """

    def __init__(self, path, genes):
        self.path, self.genes = path, genes
        self._held_runs, self._held = pd.Index([]), None
        with open_gzip(path) as handle:
            self.header = read_header(handle)

    def statistics(self, runs, checked):
        """Total coverage and share of zeros of each run.

        Parameters
        ----------
        runs : list of str
        checked : numpy.ndarray
            bool, (genes,): genes among which zeros are counted.

        Returns
        -------
        totals : numpy.ndarray
            float64, (runs,).
        zero_fractions : numpy.ndarray
            float64, (runs,).
        """
        totals, zeros = np.zeros(len(runs)), np.zeros(len(runs), dtype=np.int64)
        places = np.arange(len(runs))
        if runs and len(runs) * self.genes * 8 <= HELD_BYTES:
            self._held_runs, self._held = pd.Index(runs), self._sum(runs, places, runs)
            totals += self._held.sum(axis=1, dtype=np.float64)
            zeros += [np.count_nonzero(row[checked] == 0) for row in self._held]
        elif runs:
            for block in self._blocks(runs, places):
                totals += block.counts.sum(axis=1, dtype=np.float64)
                zeros += (block.counts[:, checked[block.first : block.first + block.rows]] == 0).sum(axis=1)
        return totals, zeros / max(checked.sum(), 1)

    def of_samples(self, experiments, order):
        """Coverage of samples: the sum over their runs.

        Parameters
        ----------
        experiments : pandas.Series
            Sample of each kept run; index: run.
        order : list of str
            Samples, in the order of the rows of the result.

        Returns
        -------
        numpy.ndarray
            int64, (samples, genes).

        Raises
        ------
        OverflowError
            If a sum exceeds 2**63 - 1.
        """
        places = pd.Index(order).get_indexer(experiments)
        if self._held is None:
            return self._sum(experiments.index, places, order)
        rows = self._held_runs.get_indexer(experiments.index)
        if len(order) == len(rows):  # each sample is one run
            rows = rows[np.argsort(places)]
            return self._held if np.array_equal(rows, np.arange(len(self._held))) else self._held[rows]
        counts = np.zeros((len(order), self.genes), dtype=np.int64)
        for row, place in zip(rows, places, strict=True):
            counts[place] += self._held[row]
            if (counts[place] < 0).any():
                raise self._too_large(order[place])
        return counts

    def _sum(self, runs, places, order):
        counts = np.zeros((len(order), self.genes), dtype=np.int64)
        if len(order):
            try:
                for _ in self._blocks(runs, places, counts):
                    pass
            except SumTooLargeError as error:
                raise self._too_large(order[error.place]) from error
        return counts

    def _blocks(self, runs, places, counts=None):
        with open_gzip(self.path) as handle:
            header = read_header(handle)
            yield from gene_sum_blocks(handle, header, None, columns_to_places(header, runs, places), counts)

    def _too_large(self, sample):
        return OverflowError(f"{self.path}: the runs of {sample} add up to more than 2**63 - 1")
