# What the rules of rules/selection.smk read and which settings they get, as far as the config decides it.

from scarceseq.config import selector_names


def selector_jobs():
    """Selectors of each ranking job, by the job's name."""
    return selector_names.selector_jobs(config["selection"]["selectors"])


def selectors_of_job(wildcards):
    """Selectors that one job ranks."""
    return selector_jobs()[wildcards.selector]


def in_rounds(selectors):
    """Whether the selectors of a job choose in rounds; a job's selectors are all alike in that."""
    return selector_names.in_rounds(selectors[0])


def models_between_rounds(wildcards):
    """Models that the selectors of a job work on."""
    usual = config["selection"]["rounds"]["model"]
    return sorted({selector_names.parts(name)[1] or usual for name in selectors_of_job(wildcards)})


def needs_of(selectors):
    """What some selectors look at besides names, together."""
    return {need for name in selectors for need in selector_names.declared(name, "NEEDS")}


def model_cells(wildcards):
    """The screen's cells, if a model of the job is trained on cells."""
    needs = [registry.declared("selection.surrogates", name, "NEEDS") for name in models_between_rounds(wildcards)]
    wanted = any("cells" in need for need in needs)
    return {"cells": f"{RESULTS}/screen/{wildcards.screen}/cells.h5ad"} if wanted else {}


def model_settings(wildcards):
    """Settings of each model of a job that has some: those of the predictor of that name."""
    models = {name: settings_of_predictor(name) for name in models_between_rounds(wildcards)}
    return {name: settings for name, settings in models.items() if settings}


def selection_rankings():
    """(screen, graph, job) of all rankings; selectors that need no single graph run under the graph name `none`."""
    for screen, settings in config["selection"]["screens"].items():
        for job, selectors in selector_jobs().items():
            for graph in [*settings["selection_graphs"], "none"]:
                if any(("graph" in needs_of([name])) == (graph != "none") for name in selectors):
                    yield screen, graph, job


def selection_graph(wildcards):
    """The graph that the selectors of a job look at, if any."""
    return [] if wildcards.graph == "none" else graph_file(wildcards.graph)


def prior_graphs(wildcards):
    """Graphs of prior knowledge, if a selector of the job fuses them."""
    if "priors" not in needs_of(selectors_of_job(wildcards)):
        return []
    settings = config["selection"]["screens"][wildcards.screen]
    return [graph_file(graph) for graph in settings["prior_graphs"] or settings["selection_graphs"]]


def control_graphs():
    """The graph that each control graph (shuffled or rewired) was made from."""
    graphs = config["network"]["graphs"]
    return {name: graph["of"][0] for name, graph in graphs.items() if graph["kind"] in ("shuffled", "rewired")}


def rankings_of_job(wildcards):
    """Rankings of a job, made in one shot or in rounds."""
    folder = "rounds" if in_rounds(selectors_of_job(wildcards)) else "rankings"
    return f"{RESULTS}/selection/{wildcards.screen}/{wildcards.graph}/{folder}/{wildcards.selector}.parquet"


def screen_rankings(wildcards):
    """(graph, path without its ending) of all rankings of a screen."""
    for screen, graph, job in selection_rankings():
        if screen == wildcards.screen:
            folder = "rounds" if in_rounds(selector_jobs()[job]) else "rankings"
            yield graph, f"{RESULTS}/selection/{screen}/{graph}/{folder}/{job}"


def screen_graphs(wildcards):
    """Names of the selection graphs of a screen, controls left out."""
    graphs = config["selection"]["screens"][wildcards.screen]["selection_graphs"]
    return [graph for graph in graphs if graph not in control_graphs()]


def budget_settings():
    """Sizes of selections, and how often a predictor that draws is trained."""
    selection = config["selection"]
    keys = ("budgets", "budget_counts", "min_budget", "model_seeds")
    return {key: selection[key] for key in keys}


def selection_fits():
    """Results of every predictor trained on every ranking."""
    return [
        f"{RESULTS}/selection/{screen}/{graph}/predictions/{selector}/{predictor}.parquet"
        for screen, graph, selector in selection_rankings()
        for predictor in config["selection"]["predictors"]
    ]


def prediction_graph(wildcards):
    """The graph that a predictor uses, if any."""
    graph = config["selection"]["screens"][wildcards.screen]["prediction_graph"]
    needs = registry.declared("perturbation.predictors", wildcards.predictor, "NEEDS")
    return [graph_file(graph)] if {"graph", "kernels"} & set(needs) else []
