"""Whether the names in the section `pretrain` are defined."""

from typing import Any

from scarceseq import registry
from scarceseq.checks import one_of
from scarceseq.errors import InputError


def check(config: dict[str, Any]) -> None:
    """Refuse splits and architectures that there are not, seeds given twice, and widths that do not divide."""
    pretrain = config.get("pretrain")
    if not pretrain:
        return
    bases = pretrain["bases"]
    for base, settings in bases.items():
        where = f"pretrain.bases.{base}"
        one_of(f"{where}.split", settings["split"], config["corpus"]["splits"], "split of corpus.splits")
        architectures = registry.names("pretrain.architectures")
        one_of(f"{where}.architecture", settings["architecture"], architectures, "architecture")
        if not settings["objectives"]:
            raise InputError(f"config key {where}.objectives: must have at least 1 entries")
        for seed in settings["further_seeds"]:
            if f"{base}_seed{seed}" in bases or seed == settings["seed"]:
                raise InputError(f"config key {where}.further_seeds: there is a base with seed {seed}")
        if settings["token_width"] % settings["heads"]:
            raise InputError(f"config key {where}.token_width: no multiple of heads, {settings['heads']}")
    trained = sorted({settings["split"] for settings in bases.values()})
    for task, settings in pretrain["comparison"]["tasks"].items():
        where = f"pretrain.comparison.tasks.{task}.split"
        one_of(where, settings["split"], trained, "split of any base in pretrain.bases")
