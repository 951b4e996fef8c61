"""Names of ways of choosing.

``degree`` is a selector, ``reach@usage`` a variant of one, ``bald@gears`` one in rounds with its model.
"""

from collections.abc import Mapping
from typing import Any

from scarceseq import registry
from scarceseq.checks import one_of
from scarceseq.config.former_names import SELECTORS, refuse_former
from scarceseq.errors import InputError

ENTRIES, MODELS = "selection.selectors", "selection.surrogates"


def parts(name: str) -> tuple[str, str | None]:
    """(selector, what stands behind the @); the latter is None where the name leaves it to ``rounds.model``."""
    selector, _, source = name.partition("@")
    return selector, source or None


def declared(name: str, constant: str, default: Any = ...) -> Any:
    """What the selector of a name declares, such as ``NEEDS``; see `scarceseq.registry.declared`."""
    return registry.declared(ENTRIES, parts(name)[0], constant, default)


def in_rounds(name: str) -> bool:
    """Whether a selector works in rounds: then it declares which one ranks the first, as ``START``."""
    return declared(name, "START", None) is not None


def variants(selector: str) -> str | None:
    """Registry of what may stand behind the @ of a selector: models between rounds, or its variants; or None."""
    return MODELS if in_rounds(selector) else declared(selector, "VARIANTS", None)


def names_used(name: str) -> str:
    """Whose names a way of choosing looks at besides those it may choose: ``tests``, ``list`` (all, without saying
    which are tested), or ``none``."""
    selector, source = parts(name)
    kind = variants(selector)
    used = declared(selector, "NAMES_USED", "none")
    return registry.declared(kind, source, "NAMES_USED", "none") if source and kind not in (None, MODELS) else used


def one_shot() -> list[str]:
    """Names of all selectors in one shot, with their variants."""
    names = []
    for entry in registry.names(ENTRIES):
        if not in_rounds(entry):
            kind = variants(entry)
            names += [entry, *(f"{entry}@{variant}" for variant in (registry.names(kind) if kind else []))]
    return names


def one_shot_on_graph(selector: str) -> bool:
    """Whether a selector ranks in one shot, and on one graph."""
    return not in_rounds(selector) and "graph" in declared(selector, "NEEDS")


def check(where: str, name: str) -> None:
    """Raise `InputError` unless there is a selector of the name; `where` is the config key."""
    refuse_former(where, name, SELECTORS)
    selector, source = parts(name)
    one_of(where, selector, registry.names(ENTRIES), "selector")
    kind = variants(selector)
    if source and kind is None:
        raise InputError(f"config key {where}: '{name}' chooses in one shot, without a model")
    if source and kind:
        one_of(f"{where}.{name}", source, registry.names(kind), "model" if kind == MODELS else f"variant of {selector}")


def entries(names: list[str]) -> list[tuple[str, str]]:
    """(registry, entry) of some selectors, their variants and those of their first rounds, but not their models."""
    names = [*names, *(declared(name, "START") for name in names if in_rounds(name))]
    pairs = [(ENTRIES, parts(name)[0]) for name in names] + [("selection.reaches", "")]
    pairs += [(variants(parts(name)[0]), parts(name)[1]) for name in names if parts(name)[1]]
    return sorted({pair for pair in pairs if pair[0] != MODELS})


def selector_jobs(selectors: Mapping[str, list[str]] | list[str]) -> Mapping[str, list[str]]:
    """Selectors that share jobs, by the jobs' name: the config's named lists, or each selector alone."""
    return selectors if isinstance(selectors, dict) else {name: [name] for name in selectors}
