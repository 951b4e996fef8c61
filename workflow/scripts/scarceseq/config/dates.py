"""Files from the future stop a run before it starts: whatever is made of them would count as older than they are."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scarceseq.errors import InputError

CLOCKS_APART_SECONDS = 2.0
"""By which the clocks of a machine and its file server may differ."""
SHOWN = 5


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
    """Raise `InputError`, with the remedy, for files dated in the future, newer than whatever is made of them."""
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
