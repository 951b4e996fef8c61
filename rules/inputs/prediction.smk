# What the rules of rules/prediction.smk read and which settings they get, as far as the config decides it.


def prediction_inputs(wildcards):
    """Graphs and embeddings of a screen's predictors, and the list of genes to predict, if there is one."""
    settings = config["prediction"]["screens"][wildcards.screen]
    files = {name: paths for name, paths in kernel_files(settings["graphs"], settings["embeddings"]).items() if paths}
    return files | ({"genes": settings["genes"]} if settings["genes"] else {})
