"""Ids that come from a mirror: names of studies and runs, never paths."""

import re
from pathlib import Path

from scarceseq.archive.download import DamagedError

LONGEST_NAME = 100
# As archives give them: SRP123456, BLOOD_VESSEL, GTEX-1117F-0226-SM-5GZZ7.1, UUIDs.
NAME = re.compile(rf"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}")


def is_name(text: object) -> bool:
    """Whether an id is plain: letters, digits, ``._-`` after the first, no ``..``, at most 100 characters."""
    return isinstance(text, str) and NAME.fullmatch(text) is not None


def why_no_name(project: str, runs: set[str]) -> str | None:
    """Words for the first id of a study that is no name, None if all are."""
    for what, ids in (("project", [project]), ("run", sorted(runs))):
        odd = next((text for text in ids if not is_name(text)), None)
        if odd is not None:
            return f"the id of a {what} is no plain name ({odd[:LONGEST_NAME]!r})"
    return None


def inside(folder: Path, path: str) -> Path:
    """A file's place in a folder, links followed; raises `DamagedError` if it is outside."""
    target = Path(folder) / path
    if not target.resolve().is_relative_to(Path(folder).resolve()):
        raise DamagedError(f"{path!r} leads out of the folder {folder}")
    return target
