"""Types of config keys. A key is a documented field of a settings dataclass: its type says the bounds, the string below
it what it means. `scarceseq.config` makes the checks, the table of keys and the editors' schema from these.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

ABSENT: Any = object()
"""Default of a section that may be left out, and then is not in the completed config at all."""


@dataclass(frozen=True)
class Limits:
    """What a value of the annotated type may be; `file` is a path that must exist, `unique` a list without repeats."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    unique: bool = False
    file: bool = False


LONGEST_NAME = 64
"""Three names of the config make up the longest file name of a run, which a file system limits to 255 bytes."""

Item = TypeVar("Item")
Count = Annotated[int, Limits(ge=1)]
Whole = Annotated[int, Limits(ge=0)]
Positive = Annotated[float, Limits(gt=0)]
NotNegative = Annotated[float, Limits(ge=0)]
Share = Annotated[float, Limits(ge=0, le=1)]
Fraction = Annotated[float, Limits(gt=0, lt=1)]
Confidence = Annotated[float, Limits(gt=0.5, lt=1)]
Text = Annotated[str, Limits(min_length=1)]
File = Annotated[str, Limits(file=True)]
Name = Annotated[str, Limits(pattern="^[A-Za-z0-9_]+$", max_length=LONGEST_NAME)]
Distinct = Annotated[list[Item], Limits(unique=True)]
Several = Annotated[list[Item], Limits(min_length=1, unique=True)]
Named = Annotated[dict[Name, Item], Limits(min_length=1)]


def listed(*values: Any) -> Any:
    """Field with a list as its default."""
    return field(default_factory=lambda: list(values))
