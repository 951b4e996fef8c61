"""Is a downloaded file what it should be? Nothing is used before it has been read to its end."""

from dataclasses import dataclass
from pathlib import Path

from scarceseq.archive.download import DamagedError
from scarceseq.archive.gene_sums import GeneNames, gene_sum_blocks, read_header
from scarceseq.archive.tables import open_gzip, read_text_table


def gene_sums_bytes(genes: int, planned_runs: int) -> int:
    """Most bytes of text of a study's gene sums; half of the runs may be unplanned, and a hundred more."""
    return (1 << 20) + genes * (64 + 20 * (2 * planned_runs + 100))


def metadata_bytes(planned_runs: int) -> int:
    """Most bytes of text of a metadata table: 64 kB a run, where the archive's have up to some 10."""
    return (16 << 20) + (planned_runs << 16)


@dataclass(frozen=True)
class Shape:
    """What the manifest says of a good file: rows, columns (runs for gene sums), and what is odd about it."""

    rows: int
    columns: int
    detail: str


def verify_gene_sums(path: str | Path, annotation: str, names: GeneNames, planned_runs: set[str]) -> Shape:
    """Check a study's gene sums against the annotation and the plan; `Shape.detail` has missing and unplanned runs.

    Raises
    ------
    DamagedError
        Wrong header, rows out of order, too few or too many; a run twice; no run of the plan; a cell that is not a
        whole number from 0 to 2**63 - 1; compression broken before its end.
    """
    with open_gzip(path, gene_sums_bytes(len(names.ids), len(planned_runs))) as handle:
        header = read_header(handle)
        if header.annotation != annotation:
            raise DamagedError(f"annotation {header.annotation}, not {annotation}")
        runs = set(header.runs)
        if len(runs) < len(header.runs):
            twice = sorted(run for run in runs if header.runs.count(run) > 1)
            raise DamagedError(f"several columns for run {', '.join(twice)}")
        if not runs & planned_runs:
            raise DamagedError(f"none of the {len(planned_runs)} planned runs is there")
        for _ in gene_sum_blocks(handle, header, names):
            pass
    return Shape(len(names.ids), len(header.runs), differences(planned_runs, runs))


def verify_metadata(path: str | Path, planned_runs: set[str]) -> Shape:
    """Check one metadata table; a table of no rows is good. Raises `DamagedError`."""
    names, table = read_text_table(path, ["external_id"], metadata_bytes(len(planned_runs)))
    runs = table["external_id"].to_pylist()
    if None in runs:
        raise DamagedError("rows without external_id")
    fetched_runs = set(runs)
    if len(fetched_runs) < len(runs):
        twice = next(run for index, run in enumerate(runs) if run in runs[:index])
        raise DamagedError(f"several rows for run {twice}")
    return Shape(len(runs), len(names), differences(planned_runs, fetched_runs))


def differences(planned_runs: set[str], fetched_runs: set[str]) -> str:
    """Words for runs that are planned and not found, or found and not planned; empty if there are none."""
    words = []
    for what, runs in (("missing", planned_runs - fetched_runs), ("extra", fetched_runs - planned_runs)):
        if runs:
            shown = ",".join(sorted(runs)[:5]) + (",..." if len(runs) > 5 else "")
            words.append(f"{len(runs)} {what} runs ({shown})")
    return "; ".join(words)
