"""Memory and time that a job asks for: a constant of its rule plus so much for each sample, gene and scout it reads."""

import csv
import functools
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Columns of `rules/needs.tsv` beside the rule's name and its constants `mb` and `minutes`.
PER = ("1000_samples", "1000_genes", "scout")


@dataclass(frozen=True)
class Needs:
    """What a rule's jobs need: a constant under ``""``, and what is added for each unit of `PER`."""

    mb: dict[str, float]
    minutes: dict[str, float]

    def mem_mb(self, sizes: Mapping[str, float], attempt: int) -> int:
        """Megabytes (10^6 bytes) of a job, and once more as much for each further attempt."""
        return attempt * math.ceil(_sum(self.mb, sizes))

    def runtime(self, sizes: Mapping[str, float], attempt: int) -> int:
        """Minutes of a job, and once more as many for each further attempt."""
        return attempt * math.ceil(_sum(self.minutes, sizes))


def _sum(coefficients: Mapping[str, float], sizes: Mapping[str, float]) -> float:
    return sum(value * (sizes.get(unit, 0) if unit else 1) for unit, value in coefficients.items())


def read_needs(path: str | Path) -> dict[str, Needs]:
    """Needs by rule, of a table of ``rule``, ``mb``, ``mb_per_<unit>``, ``minutes``, ``minutes_per_<unit>``."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t"))
    return {row["rule"]: Needs(*(_coefficients(row, kind) for kind in ("mb", "minutes"))) for row in rows}


def _coefficients(row: Mapping[str, str], kind: str) -> dict[str, float]:
    return {unit: float(row[f"{kind}_per_{unit}" if unit else kind] or 0) for unit in ("", *PER)}


def sizes(inputs: Mapping[str, str | list[str]], scouts: int = 0) -> dict[str, float]:
    """Size of a job in units of `PER`, by its input files; `FileNotFoundError` while one of them is not there yet.

    Read are ``samples`` and ``genes`` (Parquet), else a batch's ``plan`` or the list of studies, ``listed``.
    """
    named = {name: path for name, path in inputs.items() if isinstance(path, str)}
    source = next((name for name in ("samples", "plan", "listed") if name in named), None)
    samples = _count(named[source], "runs" if source == "listed" else None) if source else 0
    genes = _count(named["genes"]) if "genes" in named else 0
    return {"1000_samples": samples / 1000, "1000_genes": genes / 1000, "scout": scouts}


def _count(path: str, column: str | None = None) -> int:
    return _count_once(path, os.stat(path).st_mtime_ns, column)


@functools.lru_cache(maxsize=1000)
def _count_once(path: str, changed: int, column: str | None) -> int:
    """Rows of a table, or the sum of a column of the studies that are not skipped."""
    if path.endswith(".parquet"):
        from pyarrow import parquet

        return parquet.read_metadata(path).num_rows
    with open(path, newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return sum(int(row[column]) if column else 1 for row in rows if not row.get("skip_reason"))
