"""A user's tables of counts and labels as they come: text, R's exports, or an ``.h5ad``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.user_tables import UserTable, read_user_table
from scarceseq.user_values import missing_to_none, trim


@dataclass(frozen=True)
class CountsTable:
    """A table of counts, genes x samples, with the names of its rows and columns.

    A `UserTable` as content has the names of the rows in its first column; an array has none.
    """

    genes: list[str]
    columns: list[str]
    content: UserTable | np.ndarray

    def numbers(self, columns: Sequence[str]) -> pd.DataFrame:
        """Columns of those names as numbers, in that order, those of one name added up; raises InputError for text."""
        places = [at for at, name in enumerate(self.columns) if name in set(columns)]
        if isinstance(self.content, UserTable):
            values = self.content.numbers([place + 1 for place in places])
        else:
            values = self.content[:, places].astype(np.float64)
        table = pd.DataFrame(values, index=self.genes, columns=[self.columns[place] for place in places])
        if table.columns.duplicated().any():
            table = table.T.groupby(level=0, sort=False).sum(min_count=1).T
        return table[list(columns)]


def read_counts(path: str, samples: Iterable[str] = (), repeated_names: bool = False) -> CountsTable:
    """Table of counts.

    Parameters
    ----------
    path : str
        Text with gene ids in the first column, see `scarceseq.user_tables.read_user_table`; a header that is one name
        short, as R's ``write.table`` makes it, is understood. Or an ``.h5ad`` of samples x genes: its layer ``counts``,
        or else its ``X``.
    samples : iterable of str
        Samples that have labels.
    repeated_names : bool
        Whether several columns may have one name.

    Raises
    ------
    InputError
        If it is no such table, or a sample is there twice.
    """
    if is_h5ad(path):
        counts = _read_h5ad(path)[0]
        table = CountsTable([trim(str(gene)) for gene in counts.index], list(counts.columns), counts.to_numpy())
    else:
        content = read_user_table(path, row_names=True, names=samples, repeated_names=repeated_names)
        table = CountsTable(content.cells[0].to_pylist(), content.header[1:], content)
    if not table.genes or not table.columns:
        raise InputError(f"{path} has no rows or no columns")
    if len(set(table.columns)) < len(table.columns) and not repeated_names:
        raise InputError(f"{path} has a sample twice; give each a name of its own, or set duplicate_samples: sum")
    return table


def read_labels(labels: str | None, counts: str, sample_column: str) -> pd.DataFrame:
    """Table of labels, text by sample in the index; that of the samples of an ``.h5ad`` if `labels` is None.

    Raises `InputError` if there is no column of samples.
    """
    if labels is None:
        return missing_to_none(_read_h5ad(counts)[1], counts)
    table = read_user_table(labels, [sample_column])
    frame = table.text()
    frame.insert(0, "", frame.pop(table.header[table.place(sample_column)]))
    unnamed = int((frame[""] == "").sum())
    if unnamed:
        raise InputError(f"{labels}: {unnamed} rows have no name in the column '{sample_column}'; name or remove them")
    return missing_to_none(frame, labels).set_index("").rename_axis(None)


def is_h5ad(path: str) -> bool:
    """Whether a file is an ``.h5ad``, by its name."""
    return str(path).lower().endswith(".h5ad")


def _read_h5ad(path: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts, genes x samples, and the samples' table as text."""
    from scarceseq.user_h5ad import read_whole

    counts, obs, var = read_whole(path, "counts")
    samples = [trim(str(sample)) for sample in obs.index]
    obs = obs.astype(object).set_axis(samples, axis=0)
    obs = obs.where(obs.isna(), obs.astype(str)).fillna("").map(trim)
    return pd.DataFrame(counts.T, index=var.index, columns=samples), obs
