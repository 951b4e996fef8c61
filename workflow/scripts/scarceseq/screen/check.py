"""Whether the keys of the section `screens` fit together."""

from typing import Any

from scarceseq.checks import one_of
from scarceseq.errors import InputError


def check(config: dict[str, Any]) -> None:
    """Refuse a screen that is not given in one way, and mean profiles from the catalogue."""
    for name, screen in config.get("screens", {}).items():
        if (screen["path"] is None) == (screen["catalogue"] is None):
            raise InputError(f"config key screens.{name}: give either path or catalogue")
        if screen["kind"] != "cells" and screen["path"] is None:
            raise InputError(f"config key screens.{name}.catalogue: has screens of cells only; give a path")
        for context in screen["contexts"]:
            one_of(f"screens.{name}.contexts", context, sorted(set(config["screens"]) - {name}), "other screen")
