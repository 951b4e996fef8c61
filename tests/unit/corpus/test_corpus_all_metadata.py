"""Metadata are kept whole. Oracle: the genuine files, read cell by cell with Python's gzip alone."""

import gzip

import pyarrow.parquet
import pytest
from scarceseq.archive.layout import METADATA_KINDS, Study, project_table_path, study_path
from scarceseq.archive.metadata import read_tables
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.plan import fetch_project_tables, planned_rows
from scarceseq.archive.settings import DownloadSettings
from scarceseq.corpus.all_metadata import KEYS, join_metadata, listed_table, metadata_table, write_metadata
from scarceseq.files import read_table, write_table

DOWNLOAD = DownloadSettings(connections=1, retries=0, backoff_seconds=0, timeout_seconds=5)
KEY_COLUMNS = {"rail_id", "external_id", "study"}


def cells(path):
    """{run: {column in lower case: text, or None}} of a metadata file."""
    with gzip.open(path, "rt", newline="") as handle:
        rows = [line.rstrip("\n").split("\t") for line in handle]
    names = [name.lower() for name in rows[0]]
    found = [dict(zip(names, (None if cell in ("NA", "") else cell for cell in row), strict=True)) for row in rows[1:]]
    return {row["external_id"]: row for row in found}


@pytest.mark.parametrize(
    ("mirror", "organism", "project"),
    [
        ("mouse_SRP081192_reconstructed_mirror", "mouse", "SRP081192"),
        ("human_moseley_trimmed_mirror", "human", "DRP004088"),
    ],
)
def test_every_cell_of_the_real_tables_is_kept(shared_data, mirror, organism, project, tmp_path):
    folder = next((shared_data / "bulk/recount3_real" / mirror).rglob(f"metadata/{project[-2:]}/{project}")).parents[4]
    folder = folder.parent if folder.name == organism else folder
    study = Study(organism, "sra", project)
    paths = {kind: folder / study_path(study, kind, "M023") for kind in METADATA_KINDS}
    paths = {kind: path for kind, path in paths.items() if path.is_file()}
    assert {"source", "recount_qc"} <= paths.keys()
    truth = {("sra" if kind == "source" else kind): cells(path) for kind, path in paths.items()}
    runs = set(truth["sra"])
    listed = fetch_project_tables(Mirrors([str(folder)], DOWNLOAD), organism, ["sra"], tmp_path)
    truth["recount_project"] = cells(folder / project_table_path(organism, "sra"))
    assert set(listed["run"]) == set(truth["recount_project"])
    write_table(dict(planned_rows(listed))[study], tmp_path / "plan.tsv")
    listed = listed_table(read_table(tmp_path / "plan.tsv", dtype=str))
    tables = read_tables(paths) | {"recount_project": listed}
    write_metadata([metadata_table(study, runs, tables)], tmp_path / "batch.parquet")
    join_metadata([tmp_path / "batch.parquet"], [""], tmp_path / "all.parquet")

    rows = pyarrow.parquet.read_table(tmp_path / "all.parquet").to_pylist()
    assert [row["run"] for row in rows] == sorted(runs)
    seen = 0
    for row in rows:
        assert (row["organism"], row["source"], row["study"]) == (organism, "sra", project)
        assert row["rail_id"] == truth["sra"][row["run"]]["rail_id"]
        for table, of_runs in truth.items():
            for name, value in of_runs.get(row["run"], {}).items():
                if name not in KEY_COLUMNS:
                    assert row[f"{table}.{name}"] == value
                    seen += 1
        assert row["recount_project.date_processed"] in ("2019-10-01", "2020-01-01")
    assert seen > 100 * len(rows)


def write(path, lines):
    path.write_bytes(gzip.compress("".join("\t".join(line) + "\n" for line in lines).encode()))
    return path


def test_tables_of_other_columns_and_runs_lie_side_by_side(tmp_path):
    key = ["rail_id", "external_id", "study"]
    first = {
        "source": write(tmp_path / "a", [[*key, "Title"], ["1", "r1", "S", 'a "b" #c'], ["2", "r2", "S", "NA"]]),
        "recount_qc": write(tmp_path / "b", [[*key, "auc"], ["3", "r3", "S", "7"]]),
    }
    second = {"source": write(tmp_path / "c", [[*key, "mesa"], ["9", "r9", "T", "m"]])}
    tables = [
        metadata_table(Study("mouse", "sra", "S"), {"r3", "r1", "r2", "unknown"}, read_tables(first)),
        metadata_table(Study("mouse", "sra", "T"), {"r9"}, read_tables(second)),
        metadata_table(Study("mouse", "sra", "U"), {"r0"}, {}),
    ]
    write_metadata(tables[:1], tmp_path / "1.parquet")
    write_metadata(tables[1:], tmp_path / "2.parquet")
    write_metadata([], tmp_path / "3.parquet")
    paths = [tmp_path / f"{number}.parquet" for number in (1, 2, 3)]
    join_metadata(paths, ["", "human.", ""], tmp_path / "all.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "all.parquet")
    assert table.column_names == [*KEYS, "sra.title", "recount_qc.auc", "sra.mesa"]
    assert [tuple(row.values())[2:] for row in table.to_pylist()] == [
        ("S", "r1", "1", 'a "b" #c', None, None),
        ("S", "r2", "2", None, None, None),
        ("S", "r3", "3", None, "7", None),
        ("human.T", "r9", "9", None, None, "m"),
    ]


def test_nothing_to_join_is_a_table_of_no_rows(tmp_path):
    join_metadata([], [], tmp_path / "all.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "all.parquet").column_names == KEYS
