"""Whether the names in the section `guide` are defined."""

from typing import Any

from scarceseq import registry
from scarceseq.checks import one_of
from scarceseq.errors import InputError


def check(config: dict[str, Any]) -> None:
    """Refuse schemes that there are not, and scouts of shuffled labels that are held to an accuracy."""
    guide = config.get("guide")
    if not guide:
        return
    for name, settings in guide["schemes"].items():
        one_of(f"guide.schemes.{name}.scheme", settings["scheme"], registry.names("guide.schemes"), "scout scheme")
        if settings["shuffle_labels"] and settings["minimum_held_out_accuracy"] > 0:
            where = f"guide.schemes.{name}.minimum_held_out_accuracy"
            raise InputError(f"config key {where}: scouts with shuffled labels learn nothing that holds; set it to 0")
    if "meta" in guide:
        one_of("guide.meta.scheme", guide["meta"]["scheme"], guide["schemes"], "scheme of guide.schemes")
