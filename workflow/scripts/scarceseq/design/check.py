"""Whether the names in the section `design` are defined."""

from typing import Any

from scarceseq.checks import one_of


def check(config: dict[str, Any]) -> None:
    """Refuse graphs and embeddings that there are not."""
    if "design" in config:
        design, network = config["design"], config["network"]
        for graph in [design["graph"]] if isinstance(design["graph"], str) else design["graph"]:
            one_of("design.graph", graph, network["graphs"], "graph of network.graphs")
        for embedding in design["embeddings"]:
            one_of("design.embeddings", embedding, network["embeddings"], "embedding of network.embeddings")
