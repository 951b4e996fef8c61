# What the rules of rules/perturbation.smk read and which settings they get, as far as the config decides it.


def drop_expressing(wildcards):
    """Whether each screen of a transfer leaves cells out that still express their target."""
    settings = config["perturbation"]["transfer"][wildcards.transfer]
    return {side: config["screens"][settings[side]]["drop_cells_expressing_target"] for side in ("source", "target")}


def predicted_graphs(wildcards):
    """Graphs of a screen of the section perturbation."""
    return list(config["perturbation"]["screens"][wildcards.screen]["graphs"])


def screens_with_doubles():
    """Screens of the section perturbation that hold doubles."""
    return [screen for screen in config["perturbation"]["screens"] if config["screens"][screen]["doubles"]]


def predictor_fits(screens=None):
    """Files, without their endings, of every predictor on every screen; one that uses graphs or embeddings has a result for each; and
    those of predictions made elsewhere."""
    for screen, settings in config["perturbation"]["screens"].items():
        if screens is not None and screen not in screens:
            continue
        for predictor in config["perturbation"]["predictors"]:
            needs = registry.declared("perturbation.predictors", predictor, "NEEDS")
            if "doubles" in needs and not config["screens"][screen]["doubles"]:
                continue
            kind = "graphs" if "graph" in needs else "embeddings" if "embedding" in needs else None
            for source in settings[kind] if kind else ["all" if "kernels" in needs else "none"]:
                yield f"{RESULTS}/perturbation/{screen}/{predictor}/{source}"
        for name in settings["predictions"]:
            yield f"{RESULTS}/perturbation/{screen}/{name}.given"


def prior_inputs(wildcards):
    """The graph or embedding that a predictor uses, or all of the screen's, and cells, if any."""
    needs = registry.declared("perturbation.predictors", wildcards.predictor, "NEEDS")
    files = training_cells(wildcards) | context_profiles(wildcards)
    if "graph" in needs:
        files["graph"] = graph_file(wildcards.source)
    if "kernels" in needs:
        settings = config["perturbation"]["screens"][wildcards.screen]
        files |= {
            name: paths for name, paths in kernel_files(settings["graphs"], settings["embeddings"]).items() if paths
        }
    if "embedding" in needs:
        files["embedding"] = f"{RESULTS}/network/embeddings/{wildcards.source}.parquet"
    return files


def transfer_inputs(wildcards):
    """Both screens of a transfer, with their cells, and the graph."""
    settings = config["perturbation"]["transfer"][wildcards.transfer]
    files = SCREEN | {"cells": "<results>/screen/{screen}/cells.h5ad"}
    both = {
        f"{side}_{name}": path.format(screen=settings[side])
        for side in ("source", "target")
        for name, path in files.items()
    }
    return both | {"graph": graph_file(settings["graph"])}
