"""Reading and writing: nothing half-written is ever found under its final name."""

import contextlib
import csv
import gzip
import hashlib
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scarceseq.seals import checked, rename_sealed, seal_path, write_seal

if TYPE_CHECKING:
    import pandas as pd

TEMPORARY = re.compile(r"\..+\.(?P<machine>[0-9a-f]{8})-(?P<process>\d+)\.[a-z0-9_]{8}\.tmp.*")
"""Name of a file that is being written, by which process of which machine; `remove_leftovers` takes what is left."""
FOREIGN_SECONDS = 86_400.0
"""Age after which a temporary file of another machine, whose processes cannot be asked, counts as left behind."""


def machine() -> str:
    """Eight digits that stand for the name of this machine."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


@contextlib.contextmanager
def atomic(path: Path | str, sealed: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends without error.

    If `sealed`, as what a later step reads is, a checksum is written beside it, for `scarceseq.seals.checked`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.name}.{machine()}-{os.getpid()}."
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=f".tmp{path.suffix}")
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o644)
        if sealed:
            write_seal(name)
            rename_sealed(name, path)
        else:
            os.replace(name, path)
    finally:
        for leftover in (Path(name), seal_path(name)):
            leftover.unlink(missing_ok=True)


def remove_leftovers(folder: Path | str) -> list[Path]:
    """Remove temporary files of `atomic` whose process is gone; returns what was removed.

    A process of this machine is asked for by its number. Files of other machines, on which jobs of a cluster may still
    run, stay for a day.
    """
    removed = []
    for path in files_below(folder):
        written = TEMPORARY.match(path.name)
        if written and not _is_written(path, written["machine"], int(written["process"])):
            path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def _is_written(path: Path, written_on: str, process: int) -> bool:
    if written_on != machine():
        try:
            return time.time() - path.stat().st_mtime < FOREIGN_SECONDS
        except FileNotFoundError:
            return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def files_below(folder: Path | str) -> Iterator[Path]:
    """All files of a folder and its folders; links are not followed."""
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names)


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def to_json(value: Any) -> str:
    """JSON with sorted keys, so that equal values are equal bytes."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"


def write_json(value: Any, path: str | Path) -> None:
    """Write `to_json` of a value."""
    with atomic(path, sealed=True) as temporary:
        temporary.write_text(to_json(value))


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(checked(path)).read_text())


def write_table(frame: "pd.DataFrame", path: str | Path, sealed: bool = True) -> None:
    """Write a data frame without its index: `.parquet`, or tab-separated text for `.tsv` and `.tsv.gz`.

    Texts that a spreadsheet could run are written by `scarceseq.safe_text.safe_cell`, which `read_table` takes back.
    """
    from scarceseq.safe_text import holds_returns, safe_table

    path = Path(path)
    form: dict = {"sep": "\t", "index": False, "na_rep": "NA"}
    if path.suffix != ".parquet":
        frame = safe_table(frame)
        if holds_returns(frame):  # which would end a row
            form["quoting"] = csv.QUOTE_NONNUMERIC
    with atomic(path, sealed) as temporary:
        if path.suffix == ".parquet":
            frame.to_parquet(temporary, index=False, row_group_size=2**16)  # what is written at once is copied
        elif path.name.endswith(".tsv.gz"):
            text = frame.to_csv(**form)
            with open(temporary, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
                packed.write(text.encode())
        else:
            frame.to_csv(temporary, **form, compression=None)


def read_table(path: str | Path, **options: Any) -> "pd.DataFrame":
    """Read what `write_table` wrote; only ``NA`` and the empty cell count as missing."""
    import pandas as pd

    from scarceseq.safe_text import original_table

    checked(path)
    if str(path).endswith(".parquet"):
        return pd.read_parquet(path, **options)
    missing = {"keep_default_na": False, "na_values": ["NA", ""]}
    return original_table(pd.read_csv(path, sep="\t", float_precision="round_trip", **missing, **options))
