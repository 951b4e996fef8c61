"""A gene-sums file read whole; the package reads it in blocks."""

from pathlib import Path

import numpy as np
from scarceseq.archive.gene_sums import Header, columns_to_places, gene_sum_blocks, read_header
from scarceseq.archive.tables import open_gzip


def read_gene_sums(path: Path, runs: list[str] | None = None) -> tuple[Header, list[str], np.ndarray]:
    """A whole gene-sums file.

    Parameters
    ----------
    path : path
    runs : list of str, optional
        Columns wanted, in this order; all in file order if not given.

    Returns
    -------
    header : Header
    gene_ids : list of str
    sums : numpy.ndarray
        int64, (genes, runs).
    """
    gene_ids, blocks = [], []
    with open_gzip(path) as handle:
        header = read_header(handle)
        wanted = header.runs if runs is None else list(runs)
        places = columns_to_places(header, wanted, np.arange(len(wanted)))
        for block in gene_sum_blocks(handle, header, places=places):
            gene_ids += [block.gene_id(row) for row in range(block.rows)]
            blocks.append(block.counts.T)
    return header, gene_ids, np.concatenate(blocks) if blocks else np.zeros((0, len(wanted)), dtype=np.int64)
