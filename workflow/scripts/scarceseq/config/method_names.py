"""Names of few-shot methods, and what the planner has to know of each; no method, and so no torch, is imported.

===========================  ==========================================================================================
``logistic@genes``           a classifier on features
``simpleshot@protonet``      a classifier on the embedding of an encoder that meta-learning made
``l2_sp``                    fine-tuning
``full_fine_tuning@reptile`` fine-tuning of an encoder that meta-learning made
``guided@per_tensor``        fine-tuning by a guide; a control of a guide names it: ``mean_rate@per_tensor``
``guided@meta_sgd``          the same by rates that meta-learning made
===========================  ==========================================================================================
"""

from scarceseq import registry
from scarceseq.config.former_names import METHODS, refuse_former
from scarceseq.errors import InputError

CLASSIFIERS, FEATURES, FINE_TUNING = "fewshot.classifiers", "fewshot.features", "fewshot.fine_tuning"
LEARNERS = "guide.meta"
# Guides: the key of the section `fewshot` that names a scheme of scouts, and the file of that scheme's guide.
GUIDES = {
    "per_tensor": "guide_scheme/per_tensor",
    "global": "guide_scheme/global",
    "fisher": "guide_scheme/fisher",
    "shuffled_scouts": "shuffled_scheme/per_tensor",
}


def check(where: str, name: str) -> None:
    """Raise `InputError` unless there is a method of the name; `where` is the config key."""
    refuse_former(where, name, METHODS)
    entry, _, source = name.partition("@")
    classifier = entry in registry.names(CLASSIFIERS)
    if not classifier and entry not in registry.names(FINE_TUNING):
        listed = f"{', '.join(registry.names(FINE_TUNING))}; classifiers: {', '.join(registry.names(CLASSIFIERS))}"
        raise InputError(f"config key {where}: '{name}' is no method; known fine-tuning: {listed}")
    if _guided(entry):
        allowed, what = [*GUIDES, *_learners("rates")], "guides"
    elif classifier:
        allowed, what = [*registry.names(FEATURES), *_learners("encoder")], "features"
    else:
        allowed, what = _learners("encoder"), "learned encoders"
    if source in allowed or ("@" not in name and what == "learned encoders"):
        return
    said = f"'{source}' is none of the {what}" if source else f"{entry} needs one of the {what} behind an @"
    raise InputError(f"config key {where}: '{name}' is no method, {said}; known: {', '.join(allowed)}")


def learned(name: str) -> str | None:
    """What the method needs of other studies: ``guide_scheme/per_tensor``, ``meta/aruba``, ..., or None."""
    source = name.partition("@")[2]
    if source in registry.names(LEARNERS):
        return f"meta/{source}"
    return GUIDES.get(source)


def candidates_key(name: str) -> str:
    """Key of ``fitting.candidates`` whose values the method tries."""
    entry = name.partition("@")[0]
    if entry in registry.names(CLASSIFIERS):
        return registry.declared(CLASSIFIERS, entry, "CANDIDATES")
    sgd = registry.declared(FINE_TUNING, entry, "OPTIMISER", "sgd") == "sgd"
    return "learning_rate" if sgd else "adaptive_learning_rate"


def sees_network(name: str) -> bool:
    """Whether the method depends on the encoder's weights."""
    entry = name.partition("@")[0]
    return entry not in registry.names(CLASSIFIERS) or "network" in registry.declared(
        FEATURES, _features(name), "NEEDS"
    )


def entries(names: list[str]) -> list[tuple[str, str]]:
    """(registry, entry) of all that some methods are composed of; entry "" for a registry of which they use none."""
    pairs = {(kind, "") for kind in (CLASSIFIERS, FEATURES, FINE_TUNING)}
    for name in names:
        entry = name.partition("@")[0]
        classifier = entry in registry.names(CLASSIFIERS)
        pairs |= {(CLASSIFIERS, entry), (FEATURES, _features(name))} if classifier else {(FINE_TUNING, entry)}
    return sorted(pairs)


def _features(name: str) -> str:
    source = name.partition("@")[2]
    return source if source in registry.names(FEATURES) else "embedding"


def _guided(entry: str) -> bool:
    return entry in registry.names(FINE_TUNING) and registry.declared(FINE_TUNING, entry, "GUIDED", False)


def _learners(makes: str) -> list[str]:
    """Meta-learners that make rates, or an encoder."""
    return [name for name in registry.names(LEARNERS) if registry.declared(LEARNERS, name, "MAKES") == makes]
