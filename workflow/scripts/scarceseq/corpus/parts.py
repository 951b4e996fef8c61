"""Batches, user studies and other runs' corpora on one set of genes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scarceseq.archive.counts import CountsFile
from scarceseq.corpus.orthologues import no_pairs
from scarceseq.errors import InputError


@dataclass(frozen=True)
class Part:
    """A batch, a user's study or another run's corpus, on the corpus's genes.

    Attributes
    ----------
    file : CountsFile
    rows : int
        Number of samples.
    prefix : str
        What comes before the names of its studies: ``<organism>.`` if that is another than the corpus's own, because
        accessions of the archive occur in two.
    columns : numpy.ndarray of int, (genes,), or None
        Column in the file of each gene of the corpus, -1 where it has none; None if they are the same genes in the
        same order.
    bp_length : numpy.ndarray, (genes,)
        Of each gene in the annotation of the part's organism; NaN where it has none.
    """

    file: CountsFile
    rows: int
    prefix: str
    columns: np.ndarray | None
    bp_length: np.ndarray

    def counts(self, source, start, stop):
        """int64, (stop - start, genes): rows of the open data set `source`, 0 where it has no such gene."""
        block = source[start:stop]
        if self.columns is None:
            return block
        taken = block[:, self.columns]
        taken[:, self.columns < 0] = 0
        return taken


def align(files, organism, orthologues):
    """Bring files onto the genes of the first.

    Parameters
    ----------
    files : list of CountsFile
    organism : str or None
        The corpus's own; that of the first file if None.
    orthologues : OrthologueTable or None
        Needed for files of another organism.

    Returns
    -------
    genes : pandas.DataFrame
        Index: versioned gene id of the own organism. Columns gene_name, gene_type, bp_length, shared (measured in
        every study, by way of its orthologue if it is of another organism), and for each other organism
        ``<organism>_gene_id`` and ``<organism>_bp_length``.
    parts : list of Part
    samples : pandas.DataFrame
        Of all files, one behind the other; accession is the study's name without its part's prefix.
    pairs : pandas.DataFrame
        From `OrthologueTable.match`, of all other organisms.

    Raises
    ------
    InputError
        If a file lacks a gene that others of its organism have, holds two organisms, or no table joins it.
    """
    own = organism or _organism(files[0], files[0].read_samples(), None)
    of_own = files[0].read_genes()
    genes = of_own[["gene_name", "gene_type", "bp_length"]].copy()
    genes[["gene_name", "gene_type"]] = genes[["gene_name", "gene_type"]].astype(str)
    genes["shared"] = True
    first, places, pairs = {own: (files[0], of_own)}, {own: np.arange(len(genes))}, [no_pairs()]
    parts, tables = [], []
    for file in files:
        samples, table = file.read_samples(), file.read_genes()
        found = _organism(file, samples, own)
        if found not in first:
            first[found] = (file, table)
            places[found], told = _match(orthologues, own, genes, found, file, table)
            pairs.append(told)
            genes[f"{found}_gene_id"] = _taken(table.index.astype(str), places[found], "")
            genes[f"{found}_bp_length"] = _taken(table["bp_length"].to_numpy(float), places[found], np.nan)
        columns = _taken(_columns(file, table, *first[found]), places[found], -1)
        if len(samples):
            measured = table["measured" if "measured" in table else "shared"].to_numpy(dtype=bool)
            genes["shared"] &= _taken(measured, columns, False)
        length = _taken(table["bp_length"].to_numpy(dtype=np.float64), columns, np.nan)
        if parts and np.array_equal(length, parts[-1].bp_length, equal_nan=True):
            length = parts[-1].bp_length  # one array for all batches
        same = found == own and table.index.equals(genes.index)
        parts.append(Part(file, len(samples), "" if found == own else f"{found}.", None if same else columns, length))
        tables.append(_named(samples, parts[-1].prefix))
    genes["shared"] &= any(part.rows for part in parts)
    return genes, parts, pd.concat(tables), pd.concat(pairs, ignore_index=True)


def _organism(file, samples, own):
    """The organism of a file's samples; `own` if it has none."""
    found = sorted(set(samples["organism"].astype(str)))
    if len(found) > 1:
        raise InputError(f"{file.path}: holds {' and '.join(found)}; join the corpora that it was made of")
    return found[0] if found else own


def _match(orthologues, own, genes, other, file, table):
    if orthologues is None:
        raise InputError(
            f"{file.path}: is of {other}, and the corpus of {own}; name a table of orthologues under corpus.orthologues"
        )
    return orthologues.match(own, genes, other, table)


def _columns(file, table, first, of_first):
    """Column in `table`, of `file`, of each gene of `of_first`, the first file of the same organism."""
    columns = table.index.get_indexer(of_first.index)
    if (columns < 0).any():
        raise InputError(
            f"{file.path}: lacks {(columns < 0).sum()} of the {len(of_first)} genes of {first.path}, the first is "
            f"{of_first.index[columns < 0][0]}; were they made with one annotation? Delete them and run again"
        )
    return columns


def _taken(values, places, nothing):
    """Values at `places`; `nothing` where a place is -1."""
    return np.where(places < 0, nothing, np.asarray(values)[places])


def _named(samples, prefix):
    samples = samples.astype({"study": str, "runs": str})
    samples.index = samples.index.astype(str)
    return samples.assign(study=prefix + samples["study"] if prefix else samples["study"], accession=samples["study"])
