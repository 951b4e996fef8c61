"""What the rooms' checks of a config share: a name that one key uses and another must define."""

from collections.abc import Collection
from typing import Any

from scarceseq.errors import InputError


def one_of(where: str, name: Any, defined: Collection, what: str) -> None:
    """Refuse a name, used by the key `where`, that is not among those defined; `what` says what they are."""
    if name not in defined:
        listed = ", ".join(map(str, defined)) or "none"
        raise InputError(f"config key {where}: '{name}' is no {what}; known: {listed}")
