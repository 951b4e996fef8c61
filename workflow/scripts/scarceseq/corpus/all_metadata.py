"""Every column of the archive's metadata tables, kept for whoever needs more than the workflow does."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from scarceseq.archive.layout import Study
from scarceseq.archive.plan import LISTED
from scarceseq.archive.tables import KEY_COLUMNS
from scarceseq.files import atomic
from scarceseq.seals import checked

KEYS = ["organism", "source", "study", "run", "rail_id"]
# Rows that are in memory at once: they have some 200 columns.
GROUP_ROWS = 2000


def listed_table(rows: pd.DataFrame) -> pa.Table:
    """What the archive's own list of runs says of rows of a plan, a table like those of `read_tables`."""
    names = {"external_id": "run", "rail_id": "rail_id"}
    names |= {name.removeprefix(LISTED): name for name in rows if name.startswith(LISTED)}
    return pa.table({name: pa.array(rows[column], pa.string(), from_pandas=True) for name, column in names.items()})


def metadata_table(study: Study, runs: Iterable[str], tables: Mapping[str, pa.Table]) -> pa.Table:
    """What all tables say of a study's runs, side by side; runs that no table knows are left out.

    `tables` are by kind, from `scarceseq.archive.metadata.read_tables`, and recount_project, from `listed_table`. One
    row per run, sorted; all columns text, missing where a table does not know the run: `KEYS`, then the others as
    ``table.column``, as R's recount3 names them. ``source`` has its own name there (``sra.run_acc``).
    """
    places = {
        kind: {run: row for row, run in enumerate(table["external_id"].to_pylist())} for kind, table in tables.items()
    }
    runs = [run for run in sorted(runs) if any(run in place for place in places.values())]
    columns = {name: [getattr(study, name)] * len(runs) for name in ("organism", "source")}
    columns |= {"study": [study.project] * len(runs), "run": runs, "rail_id": [None] * len(runs)}
    for kind, table in tables.items():
        rows = pa.array([places[kind].get(run) for run in runs], pa.int64())
        taken = table.take(rows)
        rail_ids = taken["rail_id"].to_pylist()
        columns["rail_id"] = [old or new for old, new in zip(columns["rail_id"], rail_ids, strict=True)]
        prefix = study.source if kind == "source" else kind
        columns |= {f"{prefix}.{name}": taken[name] for name in table.column_names if name not in KEY_COLUMNS}
    return pa.table({name: _text(values) for name, values in columns.items()})


def _text(values: pa.Array | pa.ChunkedArray | list[str | None]) -> pa.Array | pa.ChunkedArray:
    return values.cast(pa.string()) if isinstance(values, pa.ChunkedArray) else pa.array(values, pa.string())


def write_metadata(tables: Iterable[pa.Table], path: str | Path) -> None:
    """Write the studies of a batch, `metadata_table` of each, as parquet; a column that one lacks is missing there."""
    empty = pa.table({name: pa.array([], pa.string()) for name in KEYS})
    table = pa.concat_tables([empty, *tables], promote_options="default")
    with atomic(path, sealed=True) as temporary:
        pyarrow.parquet.write_table(table, temporary, row_group_size=GROUP_ROWS)


def join_metadata(paths: Sequence[str | Path], prefixes: Sequence[str], target: str | Path) -> None:
    """Put the files of `write_metadata` or of other runs one behind the other, some rows in memory at a time.

    `prefixes` come before the names of each file's studies.
    """
    empty = pa.schema([(name, pa.string()) for name in KEYS])
    schema = pa.unify_schemas(
        [empty, *(pyarrow.parquet.read_schema(checked(path)).remove_metadata() for path in paths)]
    )
    with atomic(target, sealed=True) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema) as writer:
        for path, prefix in zip(paths, prefixes, strict=True):
            with pyarrow.parquet.ParquetFile(checked(path)) as file:
                for rows in file.iter_batches(GROUP_ROWS):
                    columns = {name: pa.nulls(len(rows), pa.string()) for name in schema.names}
                    columns |= {name: rows[name] for name in rows.schema.names}
                    columns["study"] = pa.compute.binary_join_element_wise(prefix, columns["study"], "")
                    writer.write_table(pa.table(columns, schema))
