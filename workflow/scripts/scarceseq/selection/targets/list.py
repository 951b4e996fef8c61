"""Predict the rest of a list: its genes are named, and which of them will be predicted is not known."""

from collections.abc import Sequence

NAMES_USED = "list"


def targets(pool: Sequence[str], tests: Sequence[str]) -> tuple[str, ...]:
    """All genes of the list: those that may be chosen, and the others."""
    return (*pool, *tests)
