"""Whether the names in the section `perturbation` are defined."""

from typing import Any

from scarceseq import registry
from scarceseq.checks import one_of


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
    for name, transfer in perturbation["transfer"].items():
        cells = [screen for screen, settings in screens.items() if settings["kind"] == "cells"]
        for side in ("source", "target"):
            one_of(f"perturbation.transfer.{name}.{side}", transfer[side], cells, "screen of cells")
        one_of(f"perturbation.transfer.{name}.graph", transfer["graph"], network["graphs"], "graph of network.graphs")
