# What Snakemake is taught here: a job's code is one of its parameters, a step asks for the memory and minutes that a table
# gives it, for more when it is tried again, and one run at a time writes to a results folder.

import fcntl
import functools

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.resources import Resources

from scarceseq.config import dates, estimate, needs
from scarceseq.files import files_below, remove_leftovers
from scarceseq.fingerprint import fingerprint

NEEDS = needs.read_needs(SCRIPTS.parents[1] / "rules" / "needs.tsv")


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


@functools.cache
def code_hash(script, entries):
    """Hash of a script's code for the given registry entries, computed once per planning."""
    return fingerprint(script, {registry: [e for r, e in entries if r == registry and e] for registry, _ in entries})


def registry_entries(wildcards, script):
    """(registry, entry) pairs that a job's wildcards, or its script's section, name by way of the config."""
    registries = {
        "scheme": ("guide.schemes", lambda name: config["guide"]["schemes"][name]["scheme"]),
        "predictor": ("perturbation.predictors", str),
        "learner": ("guide.meta", str),
    }
    pairs = [(registries[key][0], registries[key][1](name)) for key, name in wildcards.items() if key in registries]
    if script.stem in ("predict_own_study", "explain_own_study"):
        methods = config["own_study"]["methods"]
        pairs += method_names.entries(methods if "predict" in script.stem else methods[:1])
    if script.stem == "predict_screen":
        used = config["prediction"]["screens"][wildcards.screen]["predictors"]
        pairs += [("perturbation.predictors", name) for name in used]
    if script.stem == "describe_selection":
        pairs += selector_names.entries(config["selection"]["stability"]["selectors"])
    if "selector" in wildcards.keys():
        pairs += selector_names.entries(selectors_of_job(wildcards))
        pairs += [("selection.surrogates", name) for name in models_between_rounds(wildcards)]
    if "block" in wildcards.keys() and "task" in wildcards.keys():
        pairs += method_names.entries(method_blocks(wildcards.task)[wildcards.block])
    if "base" in wildcards.keys():
        base = base_settings(wildcards)
        pairs.append(("pretrain.architectures", base["architecture"]))
        pairs += [("pretrain.objectives", objective) for objective in base["objectives"]]
    if "graph" in wildcards.keys() and wildcards.graph in config["network"]["graphs"]:
        pairs.append(("network.kinds", config["network"]["graphs"][wildcards.graph]["kind"]))
    if "embedding" in wildcards.keys():
        pairs.append(("network.embeddings", config["network"]["embeddings"][wildcards.embedding]["kind"]))
    return tuple(pairs)


def ask_for_what_is_needed():
    """Let each step ask for the memory and minutes of `rules/needs.tsv`, or what `--set-resources` gives it; tried
    again, for once more as much."""
    given = workflow.resource_settings.overwrite_resources or {}
    for step in workflow.rules:
        if not step.script:
            continue
        # a workflow that takes this one in may call its rules otherwise; their scripts keep their names
        name = Path(step.script).stem
        for kind in ("mem_mb", "runtime"):
            if kind not in given.get(step.name, {}):
                resource = ask(getattr(NEEDS[name], kind))
            elif not step.resources[kind].is_evaluable():
                resource = lambda wildcards, attempt, value=step.resources[kind].value: value * attempt
            else:
                continue
            step.resources.update(Resources.from_mapping({kind: resource}))


def ask(needed):
    """A resource: what is needed for the sizes of a job's input, as soon as that is there."""
    return lambda wildcards, input, attempt: needed(needs.sizes(input, scouts_of(wildcards)), attempt)


def scouts_of(wildcards):
    """Scouts of a job: those of its block, or all of its scheme."""
    if "scheme" not in wildcards.keys():
        return 0
    settings = config["guide"]["schemes"][wildcards.scheme]
    return settings["scouts_per_block" if "block" in wildcards.keys() else "scouts"]


def check_folder():
    """Remove what killed steps left in the results folder, and stop if a file that is read is dated in the future."""
    for path in remove_leftovers(RESULTS):
        logger.info(f"Removed {path}, which a step that was killed had left.")
    try:
        dates.refuse_future([*dates.files_named(config), *files_below(RESULTS)])
    except InputError as error:
        raise WorkflowError(str(error))


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


def say_what_it_takes():
    """Say how many requests, gigabytes and hours the run will take, unless everything is fetched; asks nothing."""
    folder = Path(RESULTS) / "archive"
    if "archive" not in config or "demo" in config:
        return
    if all((folder / "batches" / batch / "manifest.jsonl").exists() for batch in batches()):
        return
    listed = folder / "studies.tsv"
    size = estimate.planned(listed) if listed.exists() else estimate.expected(config["archive"])
    cores = workflow.resource_settings.cores or 1
    hours = estimate.computing_hours(config, size) / cores
    logger.info(estimate.sentence(size, listed.exists(), hours, cores))
