"""Whether the names in the section `design` are defined."""

from typing import Any

from scarceseq.checks import one_of


def check(config: dict[str, Any]) -> None:
    """Refuse a graph that there is not."""
    if "design" in config:
        one_of("design.graph", config["design"]["graph"], config["network"]["graphs"], "graph of network.graphs")
