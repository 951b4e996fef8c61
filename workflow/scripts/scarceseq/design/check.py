"""Whether the names in the section `design` are defined."""

from pathlib import Path
from typing import Any

from scarceseq.checks import one_of
from scarceseq.errors import InputError


def check(config: dict[str, Any]) -> None:
    """Refuse graphs and embeddings that there are not."""
    if "design" in config:
        design, network = config["design"], config["network"]
        for graph in [design["graph"]] if isinstance(design["graph"], str) else design["graph"]:
            one_of("design.graph", graph, network["graphs"], "graph of network.graphs")
        for embedding in design["embeddings"]:
            one_of("design.embeddings", embedding, network["embeddings"], "embedding of network.embeddings")
        if (design["goal"] == "hits") != (design["responses"] is not None):
            raise InputError(
                "config key design.responses: goal `hits` needs a table of responses, and no other goal uses one; give "
                "`goal: hits` with `responses`, or neither"
            )
        _check_measured(design["measured"], config)
        _check_cells(design.get("cells"), config)


def _check_measured(measured: str | None, config: dict[str, Any]) -> None:
    """Refuse a name that is neither a screen nor a file."""
    if measured is not None and measured not in config.get("screens", {}) and not Path(measured).is_file():
        raise InputError(f"config key design.measured: there is no file '{measured}', and no screen of that name")


def _check_cells(cells: dict[str, Any] | None, config: dict[str, Any]) -> None:
    """Refuse a plan of cells without numbers, or with two sources of them."""
    if cells is None:
        return
    if (cells["screen"] is None) == (cells["pilot"] is None):
        raise InputError("config key design.cells: give either screen or pilot, which hold the numbers to plan by")
    if cells["screen"] is not None:
        screens = [name for name, settings in config.get("screens", {}).items() if settings["kind"] == "cells"]
        one_of("design.cells.screen", cells["screen"], screens, "screen of cells")
    elif cells["budget"] is not None:
        raise InputError("config key design.cells.budget: needs a screen, as a pilot's table does not tell the signal")
