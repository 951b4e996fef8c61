"""Whether the names in the section `prediction` are defined."""

from typing import Any

from scarceseq import registry
from scarceseq.checks import one_of
from scarceseq.errors import InputError


def check(config: dict[str, Any]) -> None:
    """Refuse screens, graphs, embeddings and predictors that there are not, and a screen without any knowledge."""
    usable = [
        name
        for name in registry.names("perturbation.predictors")
        if set(registry.declared("perturbation.predictors", name, "NEEDS")) <= {"kernels"} and name != "control"
    ]
    for name, used in config.get("prediction", {"screens": {}})["screens"].items():
        where, network = f"prediction.screens.{name}", config["network"]
        one_of(where, name, config["screens"], "screen")
        for graph in used["graphs"]:
            one_of(f"{where}.graphs", graph, network["graphs"], "graph of network.graphs")
        for embedding in used["embeddings"]:
            one_of(f"{where}.embeddings", embedding, network["embeddings"], "embedding of network.embeddings")
        for predictor in used["predictors"]:
            one_of(f"{where}.predictors", predictor, usable, "predictor without needs or on several kernels")
        if not used["graphs"] and not used["embeddings"]:
            raise InputError(f"config key {where}: name graphs or embeddings that say which genes are alike")
