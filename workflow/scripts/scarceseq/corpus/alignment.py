"""Batches, user studies and other runs' corpora on one set of genes."""

import functools
from dataclasses import dataclass

import h5py
import numpy as np
import pandas as pd

from scarceseq.archive.counts import CountsFile
from scarceseq.corpus.orthologues import OrthologueTable, no_pairs
from scarceseq.errors import InputError


@dataclass(frozen=True)
class AlignedFile:
    """A batch, a user's study or another run's corpus, on the corpus's genes."""

    file: CountsFile
    rows: int  # samples
    # What comes before the names of its studies: ``<organism>.`` if that is another than the corpus's own, because
    # accessions of the archive occur in two.
    prefix: str
    # Column, (genes,), in the file of each gene of the corpus, -1 where it has none; None if they are the same genes in
    # the same order.
    columns: np.ndarray | None
    bp_length: np.ndarray  # (genes,), in the annotation of the file's organism; NaN where it has none
    measured: np.ndarray  # bool, (genes,)

    def counts(self, source: h5py.Dataset, start: int, stop: int) -> np.ndarray:
        """int64, (stop - start, genes): rows of the open data set `source`, 0 where it has no such gene."""
        block = source[start:stop]
        if self.columns is None:
            return block
        taken = block[:, self.columns]
        taken[:, self.columns < 0] = 0
        return taken


class RowReads:
    """Reads of the shared genes of some samples, one sample at a time.

    A sample is row `row_of` of file `file_of`; `read_bases`, (samples,), are the units of its counts that a read gives.
    """

    def __init__(
        self,
        files: list[AlignedFile],
        file_of: np.ndarray,
        row_of: np.ndarray,
        genes: pd.DataFrame,
        read_bases: np.ndarray,
    ) -> None:
        self._files, self._file_of, self._row_of = files, file_of, row_of
        self._shared, self._read_bases = genes["shared"].to_numpy(), read_bases
        self._row = functools.lru_cache(maxsize=32)(self._read)

    def __call__(self, sample: int) -> np.ndarray:
        """float64, (shared genes,)."""
        return self._row(int(sample))

    def _read(self, sample: int) -> np.ndarray:
        aligned, row = self._files[self._file_of[sample]], int(self._row_of[sample])
        with aligned.file.open() as source:
            return aligned.counts(source, row, row + 1)[0, self._shared] / self._read_bases[sample]


def align(
    files: list[CountsFile], organism: str | None, orthologues: OrthologueTable | None, measured_share: float = 1.0
) -> tuple[pd.DataFrame, list[AlignedFile], pd.DataFrame, pd.DataFrame]:
    """Bring files onto the genes of the first: tables of genes, aligned files, table of samples, pairs of orthologues.

    The corpus's own organism is that of the first file if None. A gene is shared if `measured_share` of the studies
    have measured it. Raises InputError if a file lacks a gene that others of its organism have, holds two organisms, or
    no table joins it.

    Genes are indexed by the versioned id of the own organism, with columns gene_name, gene_type, bp_length, shared
    (measured in enough studies, by way of its orthologue if it is of another organism), and for each other organism
    ``<organism>_gene_id`` and ``<organism>_bp_length``. Samples are those of all files, one behind the other; accession
    is the study's name without its file's prefix. Pairs are from `OrthologueTable.match`, of all other organisms.
    """
    home = organism or _organism(files[0], files[0].read_samples(), None)
    home_genes = files[0].read_genes()
    genes = home_genes[["gene_name", "gene_type", "bp_length"]].copy()
    genes[["gene_name", "gene_type"]] = genes[["gene_name", "gene_type"]].astype(str)
    had, studies = np.zeros(len(genes), dtype=np.int64), 0
    first, places, pairs = {home: (files[0], home_genes)}, {home: np.arange(len(genes))}, [no_pairs()]
    aligned, tables = [], []
    for file in files:
        samples, table = file.read_samples(), file.read_genes()
        there = _organism(file, samples, home)
        if there not in first:
            if orthologues is None:
                raise InputError(
                    f"{file.path}: is of {there}, and the corpus of {home}; "
                    "name a table of orthologues under corpus.orthologues"
                )
            first[there] = (file, table)
            places[there], matched = orthologues.match(home, genes, there, table)
            pairs.append(matched)
            genes[f"{there}_gene_id"] = _taken(table.index.astype(str), places[there], "")
            genes[f"{there}_bp_length"] = _taken(table["bp_length"].to_numpy(float), places[there], np.nan)
        columns = _taken(_columns(file, table, *first[there]), places[there], -1)
        measured = table["measured" if "measured" in table else "shared"].to_numpy(dtype=bool)
        measured = _taken(measured, columns, False)
        studies += samples["study"].nunique()
        had += samples["study"].nunique() * measured
        length = _taken(table["bp_length"].to_numpy(dtype=np.float64), columns, np.nan)
        if aligned and np.array_equal(length, aligned[-1].bp_length, equal_nan=True):
            length = aligned[-1].bp_length  # one array for all batches
        prefix = "" if there == home else f"{there}."
        same = not prefix and table.index.equals(genes.index)
        aligned.append(AlignedFile(file, len(samples), prefix, None if same else columns, length, measured))
        tables.append(_named(samples, prefix))
    genes.insert(3, "shared", (had >= measured_share * studies) & (studies > 0))
    return genes, aligned, pd.concat(tables), pd.concat(pairs, ignore_index=True)


def _organism(file: CountsFile, samples: pd.DataFrame, default: str | None) -> str:
    """The organism of a file's samples; `default` if it has none."""
    organisms = sorted(set(samples["organism"].astype(str)))
    if len(organisms) > 1:
        raise InputError(f"{file.path}: holds {' and '.join(organisms)}; join the corpora that it was made of")
    return organisms[0] if organisms else str(default)


def _columns(file: CountsFile, table: pd.DataFrame, first: CountsFile, of_first: pd.DataFrame) -> np.ndarray:
    """Column in `table`, of `file`, of each gene of `of_first`, the first file of the same organism."""
    columns = table.index.get_indexer(of_first.index)
    if (columns < 0).any():
        raise InputError(
            f"{file.path}: lacks {(columns < 0).sum()} of the {len(of_first)} genes of {first.path}, the first is "
            f"{of_first.index[columns < 0][0]}; were they made with one annotation? Delete them and run again"
        )
    return columns


def _taken(values: np.ndarray, places: np.ndarray, nothing: str | float | bool) -> np.ndarray:
    """Values at `places`; `nothing` where a place is -1."""
    return np.where(places < 0, nothing, np.asarray(values)[places])


def _named(samples: pd.DataFrame, prefix: str) -> pd.DataFrame:
    samples = samples.astype({"study": str, "runs": str})
    samples.index = samples.index.astype(str)
    return samples.assign(study=prefix + samples["study"] if prefix else samples["study"], accession=samples["study"])
