"""What is looked after in a results folder before the first job: what killed steps left, and files from the future."""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scarceseq.errors import InputError
from scarceseq.files import TEMPORARY, machine

CLOCKS_APART_SECONDS = 2.0
"""By which the clocks of a machine and its file server may differ."""
FOREIGN_SECONDS = 86_400.0
"""Age after which a temporary file of another machine, whose processes cannot be asked, counts as left behind."""
SHOWN = 5


def remove_leftovers(folder: Path | str) -> list[Path]:
    """Remove temporary files of `scarceseq.files.atomic` whose process is gone; returns what was removed.

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


def files_named(config: Any) -> Iterator[Path]:
    """Files that values of a config name, and those directly in folders that they name."""
    if isinstance(config, dict):
        config = list(config.values())
    if isinstance(config, list):
        for value in config:
            yield from files_named(value)
    elif isinstance(config, str) and config and "\0" not in config and len(config) < 4096:
        path = Path(config.removeprefix("file://"))
        try:
            if path.is_file():
                yield path
            elif path.is_dir():
                yield from (entry for entry in path.iterdir() if entry.is_file())
        except OSError:  # a text that is no path
            return


def refuse_future(paths: Iterable[Path]) -> None:
    """Raise `InputError` for files dated in the future, which would be newer than whatever is made of them.

    Raises
    ------
    InputError
        Names them, and the remedy.
    """
    now, ahead = time.time() + CLOCKS_APART_SECONDS, []
    for path in paths:
        try:
            changed = path.stat().st_mtime
        except OSError:
            continue
        if changed > now:
            ahead.append((path, changed))
    if ahead:
        path, changed = ahead[0]
        date = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(changed))
        names = " ".join(f"'{path}'" for path, _ in ahead[:SHOWN]) + (" ..." if len(ahead) > SHOWN else "")
        raise InputError(
            f"{path} is dated in the future ({date}), so that all that is made of it would seem too old and be made "
            f"again and again: set the clock of this machine, or run `touch {names}`"
        )
