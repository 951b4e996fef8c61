"""Attributes of the corpus's samples, from the tables of its studies' files."""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from scarceseq.corpus.vocabulary import Terms
from scarceseq.files import atomic
from scarceseq.seals import checked

SCHEMA = pa.schema([(name, pa.string()) for name in ("sample", "key", "value")])
# Rows in memory at once.
ROWS = 2**16


def join_attributes(
    paths: Sequence[str | Path], kept: Iterable[Sequence[str]], target: str | Path, terms: Terms | None = None
) -> None:
    """Put the attributes of all files (sample, key, value) one behind the other, without samples that are not kept.

    Each key of a sample is there once. `terms` takes the rows in; its own rows come last, in place of such as another
    corpus made.
    """
    terms = terms or Terms({})
    made = pa.array(terms.made, pa.string())
    with atomic(target, sealed=True) as temporary, pyarrow.parquet.ParquetWriter(temporary, SCHEMA) as writer:
        for path, names in zip(paths, kept, strict=True):
            wanted = pa.array(names, pa.string())
            with contextlib.closing(pyarrow.parquet.ParquetFile(checked(path))) as file:
                for batch in file.iter_batches(ROWS, columns=SCHEMA.names):
                    rows = batch.filter(pa.compute.is_in(batch["sample"], wanted))
                    rows = rows.filter(pa.compute.invert(pa.compute.is_in(rows["key"], made)))
                    if terms.made:
                        terms.add(*(rows[name].to_pylist() for name in SCHEMA.names))
                    if len(rows):
                        writer.write_table(pa.Table.from_batches([rows]).cast(SCHEMA))
        columns = [pa.array(column) for column in zip(*terms.rows(), strict=True)]
        if columns:
            writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))
