"""Reading the files of a recount3 archive: annotation, gene sums, metadata tables."""

import contextlib
import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from scarceseq.archive.mirrors import DamagedError

# Text parsed at once; keeps memory flat however many runs a study has.
BLOCK_BYTES = 32 << 20
KEY_COLUMNS = ("rail_id", "external_id", "study")


@contextlib.contextmanager
def open_gzip(path):
    """Open for reading; whatever is wrong with the compression becomes `DamagedError`."""
    try:
        with gzip.open(path, "rb") as handle:
            yield handle
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DamagedError(f"not a whole gzip file ({error})") from error


def read_annotation(path):
    """Genes of an annotation in file order.

    Returns
    -------
    pandas.DataFrame
        gene_id (versioned), gene_name, gene_type, bp_length (bases of the gene's exons, overlaps counted once; the
        score column of the GTF, not the width on the genome).
    """
    rows = []
    with open_gzip(path) as handle:
        for number, line in enumerate(handle, start=1):
            if line.startswith(b"#"):
                continue
            fields = line.decode(errors="replace").rstrip("\n").split("\t")
            if len(fields) != 9:
                raise DamagedError(f"line {number}: {len(fields)} fields, a GTF has 9")
            if fields[2] == "gene":
                rows.append(_gene(fields, number))
    genes = pd.DataFrame(rows, columns=["gene_id", "gene_name", "gene_type", "bp_length"])
    if genes.empty:
        raise DamagedError("no genes")
    if genes["gene_id"].duplicated().any():
        twice = genes["gene_id"][genes["gene_id"].duplicated()].iloc[0]
        raise DamagedError(f"gene {twice} occurs twice")
    return genes


def _gene(fields, number):
    attributes = dict(re.findall(r'(\w+) "([^"]*)"', fields[8]))
    try:
        length = int(float(fields[5]))
    except ValueError:
        length = 0
    if "gene_id" not in attributes or length < 1:
        raise DamagedError(f"line {number}: a gene needs a gene_id and its exonic length in the score column")
    gene_id = attributes["gene_id"]
    return gene_id, attributes.get("gene_name", gene_id), attributes.get("gene_type", "unknown"), length


@dataclass(frozen=True)
class Header:
    """First lines of a gene-sums file: annotation code, and the runs in the order of the columns."""

    annotation: str
    runs: list[str]


def read_header(handle):
    """Header of an open gene-sums file; the next line read is the first gene."""
    annotation, line = None, handle.readline()
    while line.startswith(b"##"):
        if line.startswith(b"##annotation="):
            annotation = line.decode(errors="replace").strip().split("=", 1)[1]
        line = handle.readline()
    if annotation is None:
        raise DamagedError("the first line is not '##annotation=...'")
    names = line.decode(errors="replace").rstrip("\r\n").split("\t")
    if names[0] != "gene_id" or len(names) < 2:
        raise DamagedError("the header line is not 'gene_id' and runs, separated by tabs")
    return Header(annotation, names[1:])


def gene_sum_blocks(handle, header):
    """Blocks of rows of an open gene-sums file behind its header.

    Yields
    ------
    gene_ids : list of str
    sums : numpy.ndarray
        int64, (genes, runs): coverage summed over the gene's exonic bases. Exact; values beyond 2**31 occur.
    """
    columns = [f"run_{index}" for index in range(len(header.runs))]
    schema = {"gene_id": pl.String, **dict.fromkeys(columns, pl.Int64)}
    while lines := handle.readlines(BLOCK_BYTES):
        try:
            block = pl.read_csv(
                io.BytesIO(b"".join(lines)), has_header=False, separator="\t", schema=schema, quote_char=None
            )
        except pl.exceptions.PolarsError as error:
            raise DamagedError(f"not whole numbers throughout ({str(error).splitlines()[0]})") from error
        blanks = sum(block.null_count().row(0))
        if blanks:
            raise DamagedError(f"{blanks} blank cells")
        sums = block.select(columns).to_numpy()
        if sums.min() < 0:
            raise DamagedError("negative values")
        yield block["gene_id"].to_list(), np.ascontiguousarray(sums)


def read_gene_sums(path, runs=None):
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
        wanted = slice(None) if runs is None else [header.runs.index(run) for run in runs]
        for ids, sums in gene_sum_blocks(handle, header):
            gene_ids += ids
            blocks.append(sums[:, wanted])
    columns = len(header.runs if runs is None else runs)
    return header, gene_ids, np.concatenate(blocks) if blocks else np.zeros((0, columns), dtype=np.int64)


def read_metadata(path):
    """One metadata table, every value as text, names in lower case, ``NA`` and blank as missing.

    Neither quotes nor ``#`` mean anything in these tables: texts hold single quotes, and column names begin with ``#``.
    """
    with open_gzip(path) as handle:
        text = handle.read().decode(errors="replace")
    lines = text.rstrip("\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if line.count("\t") != lines[0].count("\t"):
            raise DamagedError(f"line {number}: {line.count(chr(9)) + 1} fields, the header has another number")
    try:
        table = pd.read_csv(
            io.StringIO(text),
            sep="\t",
            quoting=csv.QUOTE_NONE,
            dtype=str,
            keep_default_na=False,
            na_values=["NA", ""],
            lineterminator="\n",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DamagedError(f"not a table ({error})") from error
    table.columns = table.columns.str.lower()
    lacking = [name for name in KEY_COLUMNS if name not in table.columns]
    if lacking:
        raise DamagedError(f"no column {', '.join(lacking)}")
    return table


def parse_attributes(text):
    """Author-supplied attributes of a run: ``key;;value|key;;value``.

    Parameters
    ----------
    text : str or missing

    Returns
    -------
    list of (str, str)
        Keys in lower case with ``_`` for spaces, each once. A key given several values keeps them all, joined by
        ``|``; an empty key or value is left out.
    """
    if not isinstance(text, str):
        return []
    values = {}
    for piece in text.split("|"):
        key, _, value = piece.partition(";;")
        key, value = "_".join(key.lower().split()), value.strip()
        if key and value and value != "NA":
            values.setdefault(key, {})[value] = None
    return [(key, "|".join(found)) for key, found in values.items()]
