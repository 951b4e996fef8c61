"""Whether the names in the section `selection` are defined, and its selectors can work together."""

from typing import Any

from scarceseq import registry
from scarceseq.checks import one_of
from scarceseq.config import selector_names
from scarceseq.errors import InputError
from scarceseq.perturbation.check import check_contexts, check_doubles


def check(config: dict[str, Any]) -> None:
    """Refuse screens, graphs, selectors, models and predictors that there are not, or that do not go together."""
    selection = config.get("selection")
    if not selection:
        return
    graphs = config.get("network", {}).get("graphs", {})
    for screen, used in selection["screens"].items():
        one_of(f"selection.screens.{screen}", screen, config["screens"], "screen")
        for graph in [*used["selection_graphs"], *(used["prior_graphs"] or []), used["prediction_graph"]]:
            one_of(f"selection.screens.{screen}", graph, graphs, "graph of network.graphs")
    _check_selectors(selection)
    _check_models(selection, config["screens"])
    for predictor in selection["predictors"]:
        one_of("selection.predictors", predictor, registry.names("perturbation.predictors"), "predictor")
    check_contexts("selection", selection, config["screens"])
    check_doubles("selection", selection, config["screens"])


def _check_selectors(selection: dict[str, Any]) -> None:
    """Selectors by their names, each in one job, with others that work alike."""
    seen = set()
    for job, names in selector_names.selector_jobs(selection["selectors"]).items():
        for name in names:
            selector_names.check("selection.selectors", name)
            if name in seen:
                raise InputError(f"config key selection.selectors: '{name}' is there twice")
            seen.add(name)
        if len({selector_names.in_rounds(name) for name in names}) > 1:
            raise InputError(
                f"config key selection.selectors.{job}: selectors in one shot and in rounds; divide the list"
            )
    for name in selection["stability"]["selectors"]:
        selector_names.check("selection.stability.selectors", name)
        graphical = [entry for entry in selector_names.one_shot() if selector_names.one_shot_on_graph(entry)]
        one_of("selection.stability.selectors", name, graphical, "selector in one shot that works on a graph")


def _check_models(selection: dict[str, Any], screens: dict[str, Any]) -> None:
    """Models between rounds by their names, and that the screens have what they are trained on."""
    models = registry.names("selection.surrogates")
    one_of("selection.rounds.model", selection["rounds"]["model"], models, "model")
    for name in [name for names in selector_names.selector_jobs(selection["selectors"]).values() for name in names]:
        if not selector_names.in_rounds(name):
            continue
        model = selector_names.parts(name)[1] or selection["rounds"]["model"]
        without = [screen for screen in selection["screens"] if screens[screen]["kind"] != "cells"]
        if without and "cells" in registry.declared("selection.surrogates", model, "NEEDS"):
            raise InputError(
                f"config key selection.selectors: '{name}' trains {model} on single cells, which screen {without[0]} "
                "does not have; use the model graph_process, or give that screen a config of its own"
            )
