"""Whether the names in the section `perturbation` are defined."""

from typing import Any

from scarceseq import registry
from scarceseq.checks import one_of
from scarceseq.errors import InputError


def check(config: dict[str, Any]) -> None:
    """Refuse screens, graphs, embeddings and predictors that there are not."""
    perturbation = config.get("perturbation")
    if not perturbation:
        return
    screens, network = config["screens"], config.get("network", {"graphs": {}, "embeddings": {}})
    for name, used in perturbation["screens"].items():
        where = f"perturbation.screens.{name}"
        one_of(where, name, screens, "screen")
        for graph in used["graphs"]:
            one_of(f"{where}.graphs", graph, network["graphs"], "graph of network.graphs")
        for embedding in used["embeddings"]:
            one_of(f"{where}.embeddings", embedding, network["embeddings"], "embedding of network.embeddings")
    for predictor in perturbation["predictors"]:
        one_of("perturbation.predictors", predictor, registry.names("perturbation.predictors"), "predictor")
    check_contexts("perturbation", perturbation, screens)
    check_doubles("perturbation", perturbation, screens)
    for name, transfer in perturbation["transfer"].items():
        cells = [screen for screen, settings in screens.items() if settings["kind"] == "cells"]
        for side in ("source", "target"):
            one_of(f"perturbation.transfer.{name}.{side}", transfer[side], cells, "screen of cells")
        one_of(f"perturbation.transfer.{name}.graph", transfer["graph"], network["graphs"], "graph of network.graphs")


def check_contexts(section: str, used: dict[str, Any], screens: dict[str, Any]) -> None:
    """Refuse a predictor that learns from other contexts on a screen that has none.

    The section, which is named for the message, has screens and predictors.
    """
    for predictor in used["predictors"]:
        if "contexts" not in registry.declared("perturbation.predictors", predictor, "NEEDS"):
            continue
        without = [name for name in used["screens"] if not screens[name]["contexts"]]
        if without:
            raise InputError(
                f"config key {section}.predictors: '{predictor}' learns from other contexts, of which screen "
                f"{without[0]} has none; name other screens by screens.{without[0]}.contexts"
            )


def check_doubles(section: str, used: dict[str, Any], screens: dict[str, Any]) -> None:
    """Refuse a predictor that puts doubles together where no screen has any; parameters as of `check_contexts`."""
    made = [
        name for name in used["predictors"] if "doubles" in registry.declared("perturbation.predictors", name, "NEEDS")
    ]
    if made and not any(screens[name]["doubles"] for name in used["screens"]):
        raise InputError(
            f"config key {section}.predictors: '{made[0]}' puts doubles together, and no screen has any; set "
            "doubles: true for one, or take it out"
        )
