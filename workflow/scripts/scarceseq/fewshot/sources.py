"""Where episodes may come from: pairs of studies that can fill one, and which of them is drawn next."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from scarceseq.fewshot.settings import Cell


class Source(NamedTuple):
    """A support study, a query study and the classes that both can fill."""

    support: str
    query: str
    classes: tuple[str, ...]


class Sources:
    """All studies, or ordered pairs of studies, that can fill an episode of a cell, in alphabetical order.

    Pairs are places in arrays, so that thousands of studies take megabytes, and a draw takes milliseconds. `table` has
    the columns sample, study, label; in 'leave_one_study_out' the support study is one of those that classes are chosen
    by.
    """

    def __init__(self, table: pd.DataFrame, protocol: str, cell: Cell) -> None:
        counts = pd.crosstab(table["study"], table["label"]).sort_index(axis=0).sort_index(axis=1)
        self.studies, self.labels = counts.index.tolist(), np.array(counts.columns.tolist(), dtype=object)
        within = protocol == "within_study"
        self._teaches = counts.to_numpy() >= (cell.shot + 1 if within else cell.shot)
        self._asks = counts.to_numpy() >= 1
        shared = self._teaches.astype(np.float32) @ self._asks.astype(np.float32).T
        if within:
            shared = np.where(np.eye(len(shared), dtype=bool), shared, 0)
        else:
            np.fill_diagonal(shared, 0)
        self._support, self._query = np.nonzero(shared >= cell.fewest)
        self.open = np.ones(len(self._support), dtype=bool)
        self._queries, self._supports = (np.zeros(len(self.studies), dtype=np.int64) for _ in range(2))
        self._pairs = np.zeros(len(self._support), dtype=np.int64)

    def __len__(self) -> int:
        return len(self._support)

    def at(self, place: int) -> Source:
        """The source at a place."""
        support, query = int(self._support[place]), int(self._query[place])
        classes = self.labels[self._teaches[support] & self._asks[query]]
        return Source(self.studies[support], self.studies[query], tuple(classes.tolist()))

    def draw(self, generator: np.random.Generator) -> int:
        """Place of the source whose query study, then pair, then support study was used least; ties at random."""
        tied = np.flatnonzero(self.open)
        for used, place in ((self._queries, self._query), (self._pairs, None), (self._supports, self._support)):
            load = used[tied] if place is None else used[place[tied]]
            tied = tied[load == load.min()]
        return int(tied[generator.integers(len(tied))])

    def use(self, place: int) -> None:
        """Count an episode of a source."""
        self._queries[self._query[place]] += 1
        self._supports[self._support[place]] += 1
        self._pairs[place] += 1
