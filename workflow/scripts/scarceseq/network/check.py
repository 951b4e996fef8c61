"""Whether the names in the section `network` are defined, and each graph has the keys of its kind."""

from typing import Any

from scarceseq import registry
from scarceseq.checks import one_of
from scarceseq.errors import InputError


def check_keys_of_kinds(network: dict[str, Any]) -> None:
    """Refuse a key that another kind of graph or embedding has; looked at before defaults are filled in."""
    for section, what, kinds, shared in (
        ("graphs", "a graph", "network.kinds", {"kind", "genes"}),
        ("embeddings", "an embedding", "network.embeddings", {"kind"}),
    ):
        for name, settings in network.get(section, {}).items():
            where, kind = f"network.{section}.{name}", settings["kind"]
            one_of(f"{where}.kind", kind, registry.names(kinds), f"kind of {what.split()[1]}")
            for key in sorted(set(settings) - shared - set(registry.declared(kinds, kind, "KEYS"))):
                raise InputError(f"config key {where}.{key}: {what} of kind {kind} has no such key")


def check(config: dict[str, Any]) -> None:
    """Refuse splits, screens, graphs and bases that there are not, and files that a kind needs and does not get."""
    network = config.get("network", {"graphs": {}, "embeddings": {}})
    graphs, splits = network["graphs"], config.get("corpus", {}).get("splits", {})
    for section, named in network.items():
        if "none" in named:
            raise InputError(f"config key network.{section}.none: this name is taken, choose another")
    for name, graph in graphs.items():
        where, kind = f"network.graphs.{name}", graph["kind"]
        if kind in ("annotation", "edges") and graph["path"] is None:
            raise InputError(f"config key {where}.path: is required by the kind {kind}, and missing")
        if kind == "corpus_coexpression":
            one_of(f"{where}.split", graph["split"], splits, "split of corpus.splits")
        if kind == "control_coexpression":
            cells = [screen for screen, settings in config.get("screens", {}).items() if settings["kind"] == "cells"]
            one_of(f"{where}.screen", graph["screen"], cells, "screen of cells")
        if kind in ("shuffled", "rewired", "thinned") and len(graph["of"]) != 1:
            raise InputError(f"config key {where}.of: a graph of kind {kind} is made of one graph")
        if kind == "union" and len(graph["of"]) < 2:
            raise InputError(f"config key {where}.of: a graph of kind union is made of two graphs or more")
        for other in graph["of"]:
            made = [each for each, settings in graphs.items() if not settings["of"]]
            one_of(f"{where}.of", other, made, "graph that is not itself made of others")
    for name, embedding in network["embeddings"].items():
        where, kind = f"network.embeddings.{name}", embedding["kind"]
        if kind == "table" and embedding["path"] is None:
            raise InputError(f"config key {where}.path: is required by the kind {kind}, and missing")
        if kind == "corpus_components":
            one_of(f"{where}.split", embedding["split"], splits, "split of corpus.splits")
        if kind == "base_model":
            bases = config.get("pretrain", {}).get("bases", {})
            one_of(f"{where}.base", embedding["base"], bases, "base of pretrain.bases")
