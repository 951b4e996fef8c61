"""Every column of the archive's metadata tables, kept for whoever needs more than the workflow does."""

import contextlib

import pyarrow as pa
import pyarrow.parquet

from scarceseq.files import atomic

KEYS = ["organism", "source", "study", "run", "rail_id"]
# The columns of every table that say which run a row is of.
JOIN_COLUMNS = ("rail_id", "external_id", "study")


def metadata_table(study, runs, tables):
    """What all tables say of a study's runs, side by side.

    Parameters
    ----------
    study : scarceseq.archive.layout.Study
    runs : iterable of str
        Runs wanted; those that no table knows are left out.
    tables : dict of {str: pyarrow.Table}
        By kind, from `scarceseq.corpus.metadata.read_tables`.

    Returns
    -------
    pyarrow.Table
        One row per run, sorted; all columns text, missing where a table does not know the run: `KEYS`, then the others
        as ``table.column``, as R's recount3 names them. ``source`` has its own name there (``sra.run_acc``).
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
        columns |= {f"{prefix}.{name}": taken[name] for name in table.column_names if name not in JOIN_COLUMNS}
    return pa.table({name: _text(values) for name, values in columns.items()})


def _text(values):
    return values.cast(pa.string()) if isinstance(values, pa.ChunkedArray) else pa.array(values, pa.string())


def write_metadata(tables, path):
    """Write the studies of a batch, `metadata_table` of each, as parquet; a column that one lacks is missing there."""
    empty = pa.table({name: pa.array([], pa.string()) for name in KEYS})
    with atomic(path) as temporary:
        pyarrow.parquet.write_table(pa.concat_tables([empty, *tables], promote_options="default"), temporary)


def join_metadata(paths, target):
    """Put the files of all batches one behind the other, one in memory at a time.

    Parameters
    ----------
    paths : list of path
        From `write_metadata`, or from another run's `join_metadata`.
    target : path
    """
    files = [pyarrow.parquet.ParquetFile(path) for path in paths]
    empty = pa.schema([(name, pa.string()) for name in KEYS])
    schema = pa.unify_schemas([empty, *(file.schema_arrow.remove_metadata() for file in files)])
    with (
        contextlib.ExitStack() as stack,
        atomic(target) as temporary,
        pyarrow.parquet.ParquetWriter(temporary, schema) as writer,
    ):
        for file in files:
            stack.enter_context(file)
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group)
                if len(rows):
                    lacking = {name: pa.nulls(len(rows), pa.string()) for name in schema.names}
                    writer.write_table(pa.table(lacking | {name: rows[name] for name in rows.column_names}, schema))
