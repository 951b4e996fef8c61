# Glue shared by all stages: the checked config, the list of stages, what several stages read, the hash of each step's code,
# and the lock of the results folder. What one stage alone needs is in `inputs/`.

import fcntl
import functools
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.resources import Resources

SCRIPTS = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent / "workflow" / "scripts"
# The package beside the scripts, here and in the jobs, whatever is installed.
sys.path.insert(0, str(SCRIPTS))
os.environ.update(PYTHONPATH=str(SCRIPTS))

from scarceseq import registry
from scarceseq.config import settings
from scarceseq.config import selector_names as ways
from scarceseq.config.candidates import candidates
from scarceseq.errors import InputError
from scarceseq.fingerprint import fingerprint

try:
    config = settings.complete(config, settings.load_schema(SCRIPTS.parent / "schemas"))
except InputError as error:
    raise WorkflowError(str(error))

RESULTS = f"results/{config['name']}"
# Guides that are made from each scheme of scouts, as `scarceseq.guide.guides.GUIDES` names them.
GUIDES = ["per_tensor", "global", "fisher"]
# A stage runs when its section is there; the order is that of the data.
SECTIONS = {"screen": "screens"}
STAGES = [
    stage
    for stage in "demo archive corpus pretrain guide fewshot own_study network screen perturbation selection design".split()
    if SECTIONS.get(stage, stage) in config
] + ["report"]


def batches():
    """Names of the batches into which the archive's studies are divided; a giant's batch has its name."""
    if "archive" not in config:
        return []
    return [f"batch_{index}" for index in range(config["archive"]["batches"])] + config["archive"]["giant_studies"]


def excluded_studies():
    """Ids of studies that are not taken from the archive: listed ones, and those that the user brings."""
    own = [name for study in config.get("user_studies", []) for name in study["accessions"]]
    return sorted({*config.get("archive", {}).get("excluded_studies", []), *own})


def user_studies():
    """Names of the studies that the user brings."""
    return [study["name"] for study in config.get("user_studies", [])]


def orthologue_table():
    """The table that joins organisms, if there is one."""
    orthologues = config["corpus"]["orthologues"]
    return [orthologues["table"]] if orthologues else []


def variants(base):
    """Names of a base and of what is trained like it from its further seeds."""
    return [base, *(f"{base}_seed{seed}" for seed in config["pretrain"]["bases"][base]["further_seeds"])]


def base_settings(wildcards):
    """Settings of a base, or of one of its further seeds; the list of these does not matter to it."""
    name = next(base for base in config["pretrain"]["bases"] if wildcards.base in variants(base))
    settings = {key: value for key, value in config["pretrain"]["bases"][name].items() if key != "further_seeds"}
    return settings if wildcards.base == name else settings | {"seed": int(wildcards.base.rpartition("_seed")[2])}


def embedding_inputs(wildcards):
    """What is embedded: the corpus, or the counts of a user's study."""
    if wildcards.dataset == "corpus":
        names = ("training.npy", "samples.parquet", "splits.tsv", "attributes.parquet")
        return {Path(name).stem: f"{RESULTS}/corpus/{name}" for name in names}
    study = f"{RESULTS}/archive/user/{wildcards.dataset}"
    return {"study": f"{study}/study.h5ad", "attributes": f"{study}/attributes.parquet"}


def method_blocks(task):
    """Methods of a task in blocks that share a job; a block is named after its first method."""
    part, size = config["fewshot"]["tasks"][task], config["fewshot"]["methods_per_job"]
    methods = part["methods"] or config["fewshot"]["methods"]
    blocks = [methods[first : first + size] for first in range(0, len(methods), size)]
    return {block[0]: block for block in blocks}


def candidates_of(section, method):
    """What a few-shot method tries."""
    key = registry.declared("fewshot.methods", method, "CANDIDATES")
    return candidates(config[section]["fitting"], key)


def fitting_of(section):
    """How methods of a section are fitted, as far as all share it."""
    return {key: value for key, value in config[section]["fitting"].items() if key not in ("candidates", "steps")}


def selector_jobs():
    """Selectors of each ranking job, by the job's name."""
    return ways.selector_jobs(config["selection"]["selectors"])


def selectors_of_job(wildcards):
    """Selectors that one job ranks."""
    return selector_jobs()[wildcards.selector]


def in_rounds(selectors):
    """Whether the selectors of a job choose in rounds; a job's selectors are all alike in that."""
    return ways.declared(selectors[0], "ROUNDS")


def models_between_rounds(wildcards):
    """Models that the selectors of a job work on."""
    usual = config["selection"]["rounds"]["model"]
    return sorted({ways.parts(name)[1] or usual for name in selectors_of_job(wildcards)})


def training_cells(wildcards):
    """The screen's cells, if the predictor trains on cells and the screen has them."""
    needs = registry.declared("perturbation.predictors", wildcards.predictor, "NEEDS")
    wanted = "cells" in needs and config["screens"][wildcards.screen]["kind"] == "cells"
    return {"cells": f"{RESULTS}/screen/{wildcards.screen}/cells.h5ad"} if wanted else {}


def predictor_settings(wildcards):
    """Settings of a job's predictor."""
    return settings_of_predictor(wildcards.predictor)


def settings_of_predictor(name):
    """Settings of a predictor that has some, and where it computes."""
    settings = config["predictors"].get(name)
    return settings | {"device": config["device"]} if settings else {}


def drop_expressing(wildcards):
    """Whether each screen of a transfer leaves cells out that still express their target."""
    part = config["perturbation"]["transfer"][wildcards.transfer]
    return {side: config["screens"][part[side]]["drop_cells_expressing_target"] for side in ("source", "target")}


def design_lists(wildcards):
    """A user's tables for the design of a screen, those that are given."""
    names = "candidates measured required excluded targets aliases costs gene_weights".split()
    return {name: config["design"][name] for name in names if config["design"][name]}


def hash_code_into_params():
    """Give each step that has a script a parameter with the hash of the code that its jobs run.

    This is all there is to reruns. Snakemake compares parameters, so a step reruns when its script or an imported
    module of ours changes, and not when a file is merely touched or a registry gets another entry.
    """
    for step in workflow.rules:
        if step.script:
            script = SCRIPTS / Path(str(step.script)).name
            step.set_params(
                code=lambda wildcards, script=script: code_hash(script, registry_entries(wildcards, script))
            )


def grow_memory_with_attempts():
    """Let a step that is tried again, as a cluster's profile may ask, have once more the memory it had at first."""
    for step in workflow.rules:
        if step.script and not step.resources["mem_mb"].is_evaluable():
            memory = step.resources["mem_mb"].value
            grown = {"mem_mb": lambda wildcards, attempt, memory=memory: memory * attempt}
            step.resources.update(Resources.from_mapping(grown))


@functools.cache
def code_hash(script, entries):
    """Hash of a script's code for the given registry entries, computed once per planning."""
    return fingerprint(script, {registry: [e for r, e in entries if r == registry] for registry, _ in entries})


def registry_entries(wildcards, script):
    """(registry, entry) pairs that a job's wildcards, or its script's section, name by way of the config."""
    known = {
        "scheme": ("guide.schemes", lambda name: config["guide"]["schemes"][name]["scheme"]),
        "predictor": ("perturbation.predictors", str),
        "learner": ("guide.meta", str),
    }
    pairs = [(known[key][0], known[key][1](name)) for key, name in wildcards.items() if key in known]
    if script.stem in ("predict_own_study", "explain_own_study"):
        methods = config["own_study"]["methods"]
        pairs += [("fewshot.methods", name) for name in (methods if "predict" in script.stem else methods[:1])]
    if "selector" in wildcards.keys():
        selectors = selectors_of_job(wildcards)
        starts = [ways.declared(name, "START") for name in selectors if in_rounds([name])]
        own = {ways.parts(name)[0] for name in selectors}
        pairs += [("selection.selectors", name) for name in sorted({*own, *starts})]
        pairs += [("selection.surrogates", name) for name in models_between_rounds(wildcards)]
    if "block" in wildcards.keys() and "task" in wildcards.keys():
        pairs += [("fewshot.methods", method) for method in method_blocks(wildcards.task)[wildcards.block]]
    if "base" in wildcards.keys():
        base = base_settings(wildcards)
        pairs.append(("pretrain.architectures", base["architecture"]))
        pairs += [("pretrain.objectives", objective) for objective in base["objectives"]]
    if "graph" in wildcards.keys() and wildcards.graph in config["network"]["graphs"]:
        pairs.append(("network.kinds", config["network"]["graphs"][wildcards.graph]["kind"]))
    if "embedding" in wildcards.keys():
        pairs.append(("network.embeddings", config["network"]["embeddings"][wildcards.embedding]["kind"]))
    return tuple(pairs)


def take_lock():
    """Refuse to run beside another run of the same results folder; the kernel frees the lock when this run ends."""
    folder = Path(RESULTS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        take_lock.handle = open(folder / ".lock", "w")
        fcntl.flock(take_lock.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WorkflowError(f"another run is writing to {folder}; wait for it to end, or give this run another `name`")
    except OSError as error:
        raise WorkflowError(f"{folder} cannot be written to ({error.strerror}); free space, or make it writable")
