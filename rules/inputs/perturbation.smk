# What the rules of rules/perturbation.smk read and are told, as far as the config decides it.


def predictor_fits():
    """Results of every predictor on every screen; one that uses graphs or embeddings has a result for each."""
    for screen, part in config["perturbation"]["screens"].items():
        for predictor in config["perturbation"]["predictors"]:
            needs = registry.declared("perturbation.predictors", predictor, "NEEDS")
            sources = part["graphs"] if "graph" in needs else part["embeddings"] if "embedding" in needs else ["none"]
            for source in sources:
                yield f"{RESULTS}/perturbation/{screen}/{predictor}/{source}.parquet"


def prior_inputs(wildcards):
    """The graph or embedding that a predictor uses, and cells, if any."""
    needs = registry.declared("perturbation.predictors", wildcards.predictor, "NEEDS")
    found = training_cells(wildcards)
    if "graph" in needs:
        found["graph"] = f"{RESULTS}/network/{wildcards.source}.parquet"
    if "embedding" in needs:
        found["embedding"] = f"{RESULTS}/network/embeddings/{wildcards.source}.parquet"
    return found


def transfer_inputs(wildcards):
    """Both screens of a transfer, with their cells, and the graph."""
    part = config["perturbation"]["transfer"][wildcards.transfer]
    files = {"pseudobulk": "pseudobulk.h5ad", "differential": "differential_genes.parquet"}
    files |= {"splits": "splits.tsv", "cells": "cells.h5ad"}
    found = {
        f"{side}_{name}": f"{RESULTS}/screen/{part[side]}/{file}"
        for side in ("source", "target")
        for name, file in files.items()
    }
    return found | {"graph": f"{RESULTS}/network/{part['graph']}.parquet"}
