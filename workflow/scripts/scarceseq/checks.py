"""What the rooms' checks of a config share: a name that one key uses and another must define."""

from collections.abc import Collection
from typing import Any

from scarceseq.errors import InputError


def one_of(where: str, name: Any, known: Collection, what: str) -> None:
    """Refuse a name that is not among those defined.

    Parameters
    ----------
    where : str
        The key that uses the name.
    name : str
    known : collection of str
        Names that are defined.
    what : str
        What they are, for the message.
    """
    if name not in known:
        listed = ", ".join(map(str, known)) or "none"
        raise InputError(f"config key {where}: '{name}' is no {what}; known: {listed}")
