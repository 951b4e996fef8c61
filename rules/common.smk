# What all stages share: the checked config, the list of stages, files and settings that several stages read.
# What one stage alone needs is in `inputs/`.

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent / "workflow" / "scripts"
# The package beside the scripts, here and in the jobs, whatever is installed.
sys.path.insert(0, str(SCRIPTS))
os.environ.update(PYTHONPATH=str(SCRIPTS))

from scarceseq import registry
from scarceseq.archive.batches import batch_names
from scarceseq.config import method_names, settings
from scarceseq.config.candidates import candidates
from scarceseq.errors import InputError

try:
    config = settings.complete(config, workflow.configfiles)
except InputError as error:
    raise WorkflowError(str(error))

RESULTS = f"results/{config['name']}"
# Guides that are made from each scheme of scouts, as `scarceseq.guide.guides.GUIDES` names them.
GUIDES = ["per_tensor", "global", "fisher"]
# A stage runs when its section is there; the order is that of the data.
SECTIONS = {"screen": "screens"}
STAGES = [
    stage
    for stage in "demo archive corpus pretrain guide fewshot own_study network screen perturbation selection prediction design".split()
    if SECTIONS.get(stage, stage) in config
] + ["report"]

# The corpus' files, by the names under which rules read them.
CORPUS = {
    "training": "<results>/corpus/training.npy",
    "samples": "<results>/corpus/samples.parquet",
    "genes": "<results>/corpus/genes.parquet",
    "splits": "<results>/corpus/splits.tsv",
    "attributes": "<results>/corpus/attributes.parquet",
}
# What `scarceseq.pretrain.samples.read_matrix` reads.
MATRIX = {name: CORPUS[name] for name in ("training", "samples", "genes", "splits")}
# A base model: its weights, and what it was trained on.
BASE_MODEL = {
    "model": "<results>/pretrain/{base}/model.safetensors",
    "information": "<results>/pretrain/{base}/model.json",
}
# A prepared screen.
SCREEN = {
    "pseudobulk": "<results>/screen/{screen}/pseudobulk.h5ad",
    "differential": "<results>/screen/{screen}/differential_genes.parquet",
    "splits": "<results>/screen/{screen}/splits.tsv",
}


def batches():
    """Names of the batches into which the archive's studies are divided; a giant's batch has its name."""
    if "archive" not in config:
        return []
    ordinary, giants = batch_names(config["archive"])
    return ordinary + giants


def excluded_studies():
    """Ids of studies that are not taken from the archive: listed ones, and those that the user brings."""
    brought = [name for study in config.get("user_studies", []) for name in study["accessions"]]
    return sorted({*config.get("archive", {}).get("excluded_studies", []), *brought})


def variants(base):
    """Names of a base and of what is trained like it from its further seeds."""
    return [base, *(f"{base}_seed{seed}" for seed in config["pretrain"]["bases"][base]["further_seeds"])]


def graph_file(graph):
    """File of a gene graph."""
    return f"<results>/network/{graph}.parquet"


def kernel_files(graphs, embeddings):
    """Files of graphs and embeddings of whose kernels a predictor takes the mean; controls are no knowledge."""
    controls = ("shuffled", "rewired", "thinned")
    used = [graph for graph in graphs if config["network"]["graphs"][graph]["kind"] not in controls]
    vectors = [f"{RESULTS}/network/embeddings/{embedding}.parquet" for embedding in embeddings]
    return {"kernel_graphs": [graph_file(graph) for graph in used], "kernel_embeddings": vectors}


def candidates_of(section, method):
    """What a few-shot method tries."""
    return candidates(config[section]["fitting"], method_names.candidates_key(method))


def fitting_of(section):
    """How methods of a section are fitted, as far as all share it."""
    return {key: value for key, value in config[section]["fitting"].items() if key not in ("candidates", "steps")}


def training_cells(wildcards):
    """The screen's cells, if the predictor trains on cells and the screen has them."""
    needs = registry.declared("perturbation.predictors", wildcards.predictor, "NEEDS")
    wanted = "cells" in needs and config["screens"][wildcards.screen]["kind"] == "cells"
    return {"cells": f"<results>/screen/{wildcards.screen}/cells.h5ad"} if wanted else {}


def context_profiles(wildcards):
    """Profiles of the other contexts of a screen, if the predictor learns from them."""
    needs = registry.declared("perturbation.predictors", wildcards.predictor, "NEEDS")
    names = config["screens"][wildcards.screen]["contexts"] if "contexts" in needs else []
    return {"contexts": [f"<results>/screen/{name}/pseudobulk.h5ad" for name in names]} if names else {}


def predictor_settings(wildcards):
    """Settings of a job's predictor."""
    return settings_of_predictor(wildcards.predictor)


def settings_of_predictor(name):
    """Settings of a predictor that has some, and where it computes."""
    settings = config["predictors"].get(name)
    return settings | {"device": config["device"]} if settings else {}
