# Glue shared by the rule files: the checked config, the list of stages, inputs that depend on the config,
# the hash of each rule's code, and the lock of the results folder.

import fcntl
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from scarceseq import settings
from scarceseq.errors import InputError
from scarceseq.fingerprint import fingerprint

try:
    config = settings.complete(config, settings.load_schema(SCRIPTS.parent / "schemas"))
except InputError as error:
    raise WorkflowError(str(error))

RESULTS = f"results/{config['name']}"
# A stage runs when its section is there; the order is that of the data.
SECTIONS = {"screen": "screens"}
STAGES = [
    stage
    for stage in "demo archive corpus pretrain guide fewshot network screen selection".split()
    if SECTIONS.get(stage, stage) in config
] + ["report"]


def batches():
    """Names of the batches into which the archive's studies are divided."""
    return [f"batch_{index}" for index in range(config["archive"]["batches"])]


def archive_inputs():
    """Local folders and files that the archive is read from, so that a change there is noticed."""
    if "demo" in config:
        return [f"{RESULTS}/demo/archive"]
    return []


def hash_code_into_params():
    """Give each rule that has a script a parameter with the hash of the code that its jobs run.

    The rerun rule, in one place: Snakemake compares parameters, so a step reruns when its script or an imported
    module of ours changes, and not when a file is merely touched or a registry gets another entry.
    """
    for rule in workflow.rules:
        if rule.script and str(rule.script).startswith("../workflow/scripts/"):
            script = SCRIPTS / Path(str(rule.script)).name
            rule.set_params(code=lambda wildcards, script=script: fingerprint(script, registry_entries(wildcards)))


def registry_entries(wildcards):
    """Entries of the registries that a job's wildcards name, by way of the config."""
    entries = {}
    if "base" in wildcards.keys():
        entries["pretrain.architectures"] = [config["pretrain"]["bases"][wildcards.base]["architecture"]]
    if "scheme" in wildcards.keys():
        entries["guide.schemes"] = [config["guide"]["schemes"][wildcards.scheme]["scheme"]]
    if "method" in wildcards.keys():
        entries["fewshot.methods"] = [wildcards.method]
    if "graph" in wildcards.keys() and wildcards.graph in config["network"]["graphs"]:
        entries["network.kinds"] = [config["network"]["graphs"][wildcards.graph]["kind"]]
    if "predictor" in wildcards.keys():
        entries["perturbation.predictors"] = [wildcards.predictor]
    if "selector" in wildcards.keys():
        entries["selection.selectors"] = [wildcards.selector]
    return entries


def take_lock():
    """Refuse to run beside another run of the same results folder; the kernel frees the lock when this run ends."""
    folder = Path(RESULTS)
    folder.mkdir(parents=True, exist_ok=True)
    take_lock.handle = open(folder / ".lock", "w")
    try:
        fcntl.flock(take_lock.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WorkflowError(f"another run is writing to {folder}; wait for it to end, or give this run another `name`")
