# Glue shared by all stages: the checked config, the list of stages, inputs that depend on the config,
# the hash of each step's code, and the lock of the results folder.

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

from scarceseq import registry, settings, ways
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


def archive_inputs():
    """Local folders and files that the archive is read from, so that a change there is noticed."""
    if "demo" in config:
        return [f"{RESULTS}/demo/archive"]
    return []


def excluded_studies():
    """Ids of studies that are not taken from the archive: listed ones, and those that the user brings."""
    own = [name for study in config.get("user_studies", []) for name in study["accessions"]]
    return sorted({*config.get("archive", {}).get("excluded_studies", []), *own})


def metadata_filter():
    """Thresholds of the corpus that metadata alone can tell, so that what they rule out is never fetched."""
    keys = ("kept_types", "min_mapped_reads", "excluded_library_selections")
    return {key: config["corpus"]["runs"][key] for key in keys}


def accession_table(wildcards):
    """The table of what other archives call the studies, if there is one."""
    table = config["archive"]["study_accessions"]
    return {"accessions": table} if table else {}


def user_studies():
    """Names of the studies that the user brings."""
    return [study["name"] for study in config.get("user_studies", [])]


def user_study(wildcards):
    """Settings of one user study, without its ids elsewhere, which only the archive needs to know."""
    study = next(study for study in config["user_studies"] if study["name"] == wildcards.study)
    known = {"organism": study["organism"] or config["archive"]["organism"]}
    return {key: value for key, value in (study | known).items() if key not in ("accessions", "annotation")}


def user_study_files(wildcards):
    """Files of one user study: its counts, its labels if it has any, the annotation of its organism."""
    study = next(study for study in config["user_studies"] if study["name"] == wildcards.study)
    files = {name: study[name] for name in ("counts", "labels") if study[name]}
    return files | {"annotation": study["annotation"] or f"{RESULTS}/archive/annotation.gtf.gz"}


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


def datasets():
    """What is embedded: the corpus, and from its counts each user's study that has the model's own genes."""
    own = (None, config.get("archive", {}).get("organism"))
    return ["corpus", *(study["name"] for study in config.get("user_studies", []) if study["organism"] in own)]


def comparisons():
    """(base, task) of every comparison of embeddings: a task is for the bases of its split."""
    tasks = config["pretrain"]["comparison"]["tasks"]
    for base, part in config["pretrain"]["bases"].items():
        yield from ((base, task) for task in tasks if tasks[task]["split"] == part["split"])


def guide_blocks(wildcards):
    """Names of the blocks of scouts; their number does not depend on the machine."""
    scheme = config["guide"]["schemes"][wildcards.scheme]
    return [f"block_{index}" for index in range(-(-scheme["scouts"] // scheme["scouts_per_block"]))]


def scout_settings(wildcards):
    """Settings of a scheme but for what only makes guides of the scouts' displacement."""
    later = ("normalisation", "temperature", "scale", "sparse_below")
    return config["guide"]["schemes"][wildcards.scheme] | dict.fromkeys(later)


def meta_plan(wildcards):
    """The scouts whose tasks meta-learners learn from."""
    return f"{RESULTS}/guide/{wildcards.base}/{config['guide']['meta']['scheme']}/scouts.parquet"


def meta_settings(wildcards):
    """How meta-learners learn."""
    return {key: value for key, value in config["guide"]["meta"].items() if key != "scheme"}


def screen_source(wildcards):
    """The file of a screen: the user's, or a public one that is fetched."""
    path = config["screens"][wildcards.screen]["path"]
    return path or f"{RESULTS}/screen/{wildcards.screen}/source.h5ad"


def screen_input(wildcards):
    """A screen of cells once it is normalised, or the given file of mean profiles."""
    screen = config["screens"][wildcards.screen]
    return f"{RESULTS}/screen/{wildcards.screen}/cells.h5ad" if screen["kind"] == "cells" else screen["path"]


def symbol_table(wildcards):
    """Table of renamed genes of a screen, if there is one."""
    table = config["screens"][wildcards.screen]["symbol_table"]
    return {"symbols": table} if table else {}


def corpus_files():
    """Files of the corpus that graphs and embeddings are made from."""
    names = ("training.npy", "samples.parquet", "genes.parquet", "splits.tsv")
    return {Path(name).stem: f"{RESULTS}/corpus/{name}" for name in names}


def graph_inputs(wildcards):
    """Files that a graph is built from: the corpus, other graphs, cells of a screen, or the graph's own table."""
    graph = config["network"]["graphs"][wildcards.graph]
    if graph["kind"] == "corpus_coexpression":
        found = corpus_files()
    elif graph["of"]:
        found = {"graphs": [f"{RESULTS}/network/{name}.parquet" for name in graph["of"]]}
    elif graph["screen"]:
        found = {"cells": f"{RESULTS}/screen/{graph['screen']}/cells.h5ad"}
    else:
        found = {"table": graph["path"]} | ({"names": graph["gene_names"]} if graph["gene_names"] else {})
    return found | ({"restriction": graph["genes"]} if graph["genes"] else {})


def gene_embedding_inputs(wildcards):
    """Files that a gene embedding is built from: the corpus, a base model's genes, or the embedding's own table."""
    embedding = config["network"]["embeddings"][wildcards.embedding]
    if embedding["kind"] == "base_model":
        return {"genes": f"{RESULTS}/pretrain/{embedding['base']}/genes.parquet"}
    return corpus_files() if embedding["kind"] == "corpus_components" else {"table": embedding["path"]}


def method_blocks(task):
    """Methods of a task in blocks that share a job; a block is named after its first method."""
    part, size = config["fewshot"]["tasks"][task], config["fewshot"]["methods_per_job"]
    methods = part["methods"] or config["fewshot"]["methods"]
    blocks = [methods[first : first + size] for first in range(0, len(methods), size)]
    return {block[0]: block for block in blocks}


def learned_file(base, method):
    """What a few-shot method needs that was learned on other studies: a guide, or what meta-learning made; or None."""
    needed = registry.declared("fewshot.methods", method, "GUIDE")
    if needed is None:
        return None
    key, name = needed.split("/")
    return f"{RESULTS}/guide/{base}/{config['fewshot'].get(key, key)}/{name}.safetensors"


def learned_inputs(wildcards):
    """All that the methods of a block need, each once."""
    block = method_blocks(wildcards.task)[wildcards.block]
    found = dict.fromkeys(learned_file(wildcards.base, method) for method in block)
    return {"learned": [path for path in found if path]}


def block_methods(wildcards):
    """The methods of a block: what each needs, and its candidates."""
    return {
        method: {"learned": learned_file(wildcards.base, method), "candidates": candidates_of("fewshot", method)}
        for method in method_blocks(wildcards.task)[wildcards.block]
    }


def candidates_of(section, method):
    """What a few-shot method tries."""
    key = registry.declared("fewshot.methods", method, "CANDIDATES")
    return settings.candidates(config[section]["fitting"], key)


def fitting_of(section):
    """How methods of a section are fitted, as far as all share it."""
    return {key: value for key, value in config[section]["fitting"].items() if key not in ("candidates", "steps")}


def packed_files():
    """What is unpacked of a packed model, by name."""
    names = {"model": "model.safetensors", "information": "model.json", "card": "card.json"}
    names |= {"components": "components.safetensors"} | {guide: f"{guide}.safetensors" for guide in GUIDES}
    return {name: f"<results>/own_study/model/{file}" for name, file in names.items()}


def own_study_files(wildcards):
    """The user's tables: counts, labels if they are apart, orthologues if the organism differs."""
    own = config["own_study"]
    found = {name: own[name] for name in ("counts", "labels") if own[name]}
    return found | ({"orthologues": own["orthologues"]["table"]} if own["orthologues"] else {})


def own_study_settings(purpose):
    """Keys of the own study that one of its steps needs."""
    keys = {
        "import": "name counts labels sample_column label classes group gene_id_type organism orthologues "
        "minimum_gene_share held_out",
        "folds": "folds repeats inner_folds least_calibrated",
        "telling": "confidence smallest_difference",
        "explaining": "path_points shuffles named_genes",
    }
    return {key: config["own_study"][key] for key in keys[purpose].split() if key in config["own_study"]}


def own_study_methods(names):
    """Methods of the own study: the guide that each needs, and its candidates."""
    found = {}
    for name in names:
        guide = registry.declared("fewshot.methods", name, "GUIDE")
        found[name] = {
            "learned": guide and f"{RESULTS}/own_study/model/{Path(guide).name}.safetensors",
            "candidates": candidates_of("own_study", name),
        }
    return found


def own_study_guides():
    """Guides of the packed model that the methods need, each once."""
    needed = [part["learned"] for part in own_study_methods(config["own_study"]["methods"]).values()]
    return sorted({path for path in needed if path})


def episodes_of_task(wildcards):
    """Test episodes of each cell of a task."""
    return config["fewshot"]["tasks"][wildcards.task]["episodes"] or config["fewshot"]["episodes"]


def compared_variants(task):
    """(base, its seeds that the task compares) of the base models that hold the task's test studies out."""
    part = config["fewshot"]["tasks"][task]
    for base, trained in config["pretrain"]["bases"].items():
        if trained["split"] == part["split"]:
            yield base, variants(base)[: part["seeds"] or config["fewshot"]["seeds"]]


def base_of_variant():
    """The base that each of its compared seeds belongs to."""
    return {
        name: base for task in config["fewshot"]["tasks"] for base, names in compared_variants(task) for name in names
    }


def fewshot_cells():
    """(task, way, shot) of every cell."""
    for task, part in config["fewshot"]["tasks"].items():
        yield from ((task, way, shot) for way in part["ways"] for shot in part["shots"])


def fewshot_methods():
    """(base, method, task) of everything that is asked for."""
    return [
        (base, method, task)
        for task, part in config["fewshot"]["tasks"].items()
        for base, trained in config["pretrain"]["bases"].items()
        if trained["split"] == part["split"]
        for method in part["methods"] or config["fewshot"]["methods"]
    ]


def selector_jobs():
    """Selectors of each ranking job, by the job's name."""
    return settings.selector_jobs(config["selection"]["selectors"])


def selectors_of_job(wildcards):
    """Selectors that one job ranks."""
    return selector_jobs()[wildcards.selector]


def needs_of(selectors):
    """What some selectors look at besides names, together."""
    return {need for name in selectors for need in ways.declared(name, "NEEDS")}


def in_rounds(selectors):
    """Whether the selectors of a job choose in rounds; a job's selectors are all alike in that."""
    return ways.declared(selectors[0], "ROUNDS")


def models_between_rounds(wildcards):
    """Models that the selectors of a job work on."""
    usual = config["selection"]["rounds"]["model"]
    return sorted({ways.parts(name)[1] or usual for name in selectors_of_job(wildcards)})


def model_cells(wildcards):
    """The screen's cells, if a model of the job is trained on cells."""
    needs = [registry.declared("selection.surrogates", name, "NEEDS") for name in models_between_rounds(wildcards)]
    wanted = any("cells" in need for need in needs)
    return {"cells": f"{RESULTS}/screen/{wildcards.screen}/cells.h5ad"} if wanted else {}


def model_settings(wildcards):
    """Settings of each model of a job that has some: those of the predictor of that name."""
    found = {name: settings_of_predictor(name) for name in models_between_rounds(wildcards)}
    return {name: own for name, own in found.items() if own}


def fewshot_plans():
    """What was planned for each cell."""
    return [f"{RESULTS}/fewshot/episodes/{task}/{way}way_{shot}shot.json" for task, way, shot in fewshot_cells()]


def fewshot_files(kind):
    """Files of one kind of every cell, by the base models that hold the task's test studies out.

    Methods that never see the network give the same for each of a base's seeds, so that one is enough.
    """
    for task, way, shot in fewshot_cells():
        for _, seeds in compared_variants(task):
            for block, methods in method_blocks(task).items():
                sees = any(registry.declared("fewshot.methods", method, "NETWORK") for method in methods)
                for variant in seeds if sees else seeds[:1]:
                    yield f"{RESULTS}/fewshot/{kind}/{variant}/{block}/{task}/{way}way_{shot}shot.parquet"


def selection_rankings():
    """(screen, graph, job) of all rankings; selectors that need no single graph run under the graph name `none`."""
    for screen, part in config["selection"]["screens"].items():
        for job, selectors in selector_jobs().items():
            for graph in [*part["selection_graphs"], "none"]:
                if any(("graph" in needs_of([name])) == (graph != "none") for name in selectors):
                    yield screen, graph, job


def selection_graph(wildcards):
    """The graph that the selectors of a job look at, if any."""
    return [] if wildcards.graph == "none" else network_file(wildcards.graph)


def prior_graphs(wildcards):
    """Graphs of prior knowledge, if a selector of the job fuses them."""
    part = config["selection"]["screens"][wildcards.screen]
    wanted = "priors" in needs_of(selectors_of_job(wildcards))
    return [
        f"{RESULTS}/network/{graph}.parquet" for graph in part["prior_graphs"] or part["selection_graphs"] if wanted
    ]


def control_graphs():
    """The graph that each control graph (shuffled or rewired) was made from."""
    graphs = config["network"]["graphs"]
    return {name: part["of"][0] for name, part in graphs.items() if part["kind"] in ("shuffled", "rewired")}


def rankings_of_job(wildcards):
    """Rankings of a job, made in one shot or in rounds."""
    folder = "rounds" if in_rounds(selectors_of_job(wildcards)) else "rankings"
    return f"{RESULTS}/selection/{wildcards.screen}/{wildcards.graph}/{folder}/{wildcards.selector}.parquet"


def network_file(graph):
    """File of a gene graph."""
    return f"{RESULTS}/network/{graph}.parquet"


def screen_rankings(ending):
    """Function of the wildcards that gives the files of all rankings of a screen with an ending."""

    def files(wildcards):
        for screen, graph, job in selection_rankings():
            if screen == wildcards.screen:
                folder = "rounds" if in_rounds(selector_jobs()[job]) else "rankings"
                yield f"{RESULTS}/selection/{screen}/{graph}/{folder}/{job}.{ending}"

    return lambda wildcards: list(files(wildcards))


def screen_graphs(wildcards):
    """Selection graphs of a screen, controls left out."""
    graphs = config["selection"]["screens"][wildcards.screen]["selection_graphs"]
    return [network_file(graph) for graph in graphs if graph not in control_graphs()]


def budget_settings():
    """Sizes of selections, and how often a predictor that draws is trained."""
    selection = config["selection"]
    keys = {"budgets": "budgets", "counts": "budget_counts", "min_budget": "min_budget", "model_seeds": "model_seeds"}
    return {name: selection[key] for name, key in keys.items()}


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
    return [f"{RESULTS}/network/{graph}.parquet"] if "graph" in needs else []


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


def drop_expressing(wildcards):
    """Whether each screen of a transfer leaves cells out that still express their target."""
    part = config["perturbation"]["transfer"][wildcards.transfer]
    return {side: config["screens"][part[side]]["drop_cells_expressing_target"] for side in ("source", "target")}


def design_lists(wildcards):
    """A user's tables for the design of a screen, those that are given."""
    names = "candidates measured required excluded targets aliases costs gene_weights".split()
    return {name: config["design"][name] for name in names if config["design"][name]}


def report_inputs(wildcards):
    """Everything that the report shows, by name."""
    found = {}
    if "archive" in config:
        manifests = [f"{RESULTS}/archive/batches/{batch}/manifest.jsonl" for batch in batches()]
        found |= {"studies": f"{RESULTS}/archive/studies.tsv", "manifests": manifests}
    if "corpus" in config:
        corpus = (
            "samples.parquet",
            "genes.parquet",
            "attributes.parquet",
            "dropped_runs.tsv",
            "orthologues.tsv",
            "splits.tsv",
            "training.npy",
        )
        found |= {Path(name).stem: f"{RESULTS}/corpus/{name}" for name in corpus}
    if "pretrain" in config:
        bases = [f"{RESULTS}/pretrain/{base}" for base in config["pretrain"]["bases"]]
        found["pretrain_history"] = [f"{base}/history.parquet" for base in bases]
        found["pretrain_evaluation"] = [f"{base}/evaluation.tsv" for base in bases]
        found["pretrain_genes"] = [f"{base}/genes.parquet" for base in bases]
        found["pretrain_embeddings"] = [f"{base}/embeddings/{dataset}.h5ad" for base in bases for dataset in datasets()]
        compared = [f"{RESULTS}/pretrain/{base}/comparison/{task}" for base, task in comparisons()]
        found["pretrain_scores"] = [f"{name}.parquet" for name in compared]
        found["pretrain_contrasts"] = [f"{name}.json" for name in compared]
    if "guide" in config:
        schemes = [
            f"{RESULTS}/guide/{base}/{scheme}"
            for base in config["pretrain"]["bases"]
            for scheme in config["guide"]["schemes"]
        ]
        guides = [f"{scheme}/{guide}" for scheme in schemes for guide in GUIDES]
        found["guide_json"] = [f"{guide}.json" for guide in guides]
        found["gene_mobility"] = [f"{scheme}/gene_mobility.tsv" for scheme in schemes]
        found["scout_accuracy"] = [f"{scheme}/accuracy.tsv" for scheme in schemes]
    if "fewshot" in config:
        names = ("summary", "contrasts", "curves", "ranks", "tuning")
        found |= {f"fewshot_{name}": f"{RESULTS}/fewshot/{name}.tsv" for name in names}
    if "own_study" in config:
        names = {"scores": "tsv", "contrasts": "tsv", "permutations": "tsv", "summary": "json", "genes": "tsv"}
        names |= {"predictions": "parquet", "samples": "parquet"}
        found |= {f"own_{name}": f"{RESULTS}/own_study/{name}.{ending}" for name, ending in names.items()}
        found |= {
            "own_genes_json": f"{RESULTS}/own_study/genes.json",
            "own_card": f"{RESULTS}/own_study/model/card.json",
        }
    if "network" in config:
        graphs = [f"{RESULTS}/network/{graph}" for graph in config["network"]["graphs"]]
        found |= {
            "graphs": [f"{graph}.parquet" for graph in graphs],
            "graph_json": [f"{graph}.json" for graph in graphs],
        }
    if "screens" in config:
        screens = [f"{RESULTS}/screen/{screen}" for screen in config["screens"]]
        found["screen_pseudobulk"] = [f"{screen}/pseudobulk.h5ad" for screen in screens]
        found["screen_genes"] = [f"{screen}/differential_genes.parquet" for screen in screens]
    if "perturbation" in config:
        found |= {f"perturbation_{name}": f"{RESULTS}/perturbation/{name}.tsv" for name in ("summary", "capabilities")}
        if config["perturbation"]["transfer"]:
            found["perturbation_transfer"] = f"{RESULTS}/perturbation/transfer.tsv"
    if "design" in config:
        found |= {f"design_{name}": f"{RESULTS}/design/{name}.tsv" for name in ("order", "plates", "curve", "names")}
        found["design_summary"] = f"{RESULTS}/design/summary.json"
    if "selection" in config:
        found |= {f"selection_{name}": f"{RESULTS}/selection/{name}.tsv" for name in ("summary", "contrasts")}
        screens = config["selection"]["screens"]
        for name in ("coverage", "stability", "costs"):
            found[f"selection_{name}"] = [f"{RESULTS}/selection/{screen}/{name}.tsv" for screen in screens]
    return found


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
