"""Whether the keys of the section `screens` fit together."""

from typing import Any

from scarceseq.checks import one_of
from scarceseq.errors import InputError


def check(config: dict[str, Any]) -> None:
    """Refuse a screen that is not given in one way, mean profiles from the catalogue, and doubles where none can be."""
    for name, screen in config.get("screens", {}).items():
        if (screen["path"] is None) == (screen["catalogue"] is None):
            raise InputError(f"config key screens.{name}: give either path or catalogue")
        if screen["kind"] != "cells" and screen["path"] is None:
            raise InputError(f"config key screens.{name}.catalogue: has screens of cells only; give a path")
        for context in screen["contexts"]:
            one_of(f"screens.{name}.contexts", context, sorted(set(config["screens"]) - {name}), "other screen")
        if screen["published_split"] is not None and not screen["doubles"]:
            raise InputError(
                f"config key screens.{name}.published_split: divides a screen with doubles; set doubles: true"
            )
        if screen["doubles"]:
            check_doubles(name, screen, config)


def check_doubles(name: str, screen: dict[str, Any], config: dict[str, Any]) -> None:
    """Refuse a screen with doubles where perturbations are genes."""
    if screen["kind"] == "coordinates":
        raise InputError(f"config key screens.{name}.doubles: is for kinds cells and profiles")
    users: dict[str, Any] = {
        section: (config.get(section) or {}).get("screens", {}) for section in ("selection", "prediction")
    }
    transfers = (config.get("perturbation") or {}).get("transfer", {})
    users["perturbation.transfer"] = [used[side] for used in transfers.values() for side in ("source", "target")]
    design = config.get("design") or {}
    users["design"] = [design.get("measured"), (design.get("cells") or {}).get("screen")]
    for section, used in users.items():
        if name in used:
            raise InputError(
                f"config key {section}: takes screens of single genes, and screen {name} has doubles; name the same "
                "file as another screen without doubles"
            )
