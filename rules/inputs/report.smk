# What the rules of rules/report.smk read and which settings they get, as far as the config decides it.


def datasets():
    """What is embedded: the corpus, and from its counts each user's study that has the model's own genes."""
    organisms = (None, config.get("archive", {}).get("organism"))
    return ["corpus", *(study["name"] for study in config.get("user_studies", []) if study["organism"] in organisms)]


def comparisons():
    """(base, task) of every comparison of embeddings: a task is for the bases of its split."""
    tasks = config["pretrain"]["comparison"]["tasks"]
    for base, settings in config["pretrain"]["bases"].items():
        yield from ((base, task) for task in tasks if tasks[task]["split"] == settings["split"])


def each(starts, ending):
    """(what it is of, path) of one file of each of some things, given as (what it is of, start of the path)."""
    return [(labels, f"{start}{ending}") for labels, start in starts]


def pretrain_files():
    """Files of base models that the report shows."""
    bases = [({"base": base}, f"{RESULTS}/pretrain/{base}/") for base in config["pretrain"]["bases"]]
    compared = [
        ({"base": base, "task": task}, f"{RESULTS}/pretrain/{base}/comparison/{task}") for base, task in comparisons()
    ]
    embedded = [
        (labels | {"dataset": dataset}, f"{folder}embeddings/{dataset}.h5ad")
        for labels, folder in bases
        for dataset in datasets()
    ]
    return {
        "pretrain_history": each(bases, "history.parquet"),
        "pretrain_evaluation": each(bases, "evaluation.tsv"),
        "pretrain_genes": each(bases, "genes.parquet"),
        "pretrain_embeddings": embedded,
        "pretrain_scores": each(compared, ".parquet"),
        "pretrain_contrasts": each(compared, ".json"),
    }


def guide_files():
    """Files of guides that the report shows."""
    schemes = [
        ({"base": base, "scheme": scheme}, f"{RESULTS}/guide/{base}/{scheme}/")
        for base in config["pretrain"]["bases"]
        for scheme in config["guide"]["schemes"]
    ]
    guides = [(labels | {"guide": guide}, f"{folder}{guide}") for labels, folder in schemes for guide in GUIDES]
    return {
        "guide_json": each(guides, ".json"),
        "gene_mobility": each(schemes, "gene_mobility.tsv"),
        "scout_accuracy": each(schemes, "accuracy.tsv"),
    }


def own_study_results():
    """Files of an own study that the report shows."""
    names = {"scores": "tsv", "contrasts": "tsv", "permutations": "tsv", "summary": "json"}
    names |= {"predictions": "parquet", "samples": "tsv", "joins": "tsv", "notes": "tsv"}
    names |= dict.fromkeys(["differential_genes", "quality", "quality_columns", "quality_components"], "tsv")
    names |= dict.fromkeys(["learning_curve", "differential_power", "layout"], "tsv")
    names |= {"genes": "tsv"} if config["own_study"]["model"] else {}
    names |= {"gene_set_enrichment": "tsv"} if config["own_study"]["gene_sets"] else {}
    files = {f"own_{name}": f"{RESULTS}/own_study/{name}.{ending}" for name, ending in names.items()}
    jsons = ["differential_genes", "quality", *(["genes"] if config["own_study"]["model"] else [])]
    files |= {f"own_{name}_json": f"{RESULTS}/own_study/{name}.json" for name in jsons}
    return files | ({"own_card": PACKED["card"]} if config["own_study"]["model"] else {})


def screening_files():
    """Files of graphs, screens, predictors, designs and selections that the report shows."""
    files = {}
    if "network" in config:
        graphs = [({"graph": graph}, f"{RESULTS}/network/{graph}") for graph in config["network"]["graphs"]]
        files |= {"graphs": each(graphs, ".parquet"), "graph_json": each(graphs, ".json")}
        files["graph_joins"] = each(graphs, ".joins.tsv")
    if "screens" in config:
        screens = [({"screen": screen}, f"{RESULTS}/screen/{screen}/") for screen in config["screens"]]
        files["screen_pseudobulk"] = each(screens, "pseudobulk.h5ad")
        cells = [screen for screen in screens if config["screens"][screen[0]["screen"]]["kind"] == "cells"]
        files["screen_cells"] = each(cells, "cells.json")
        files["screen_genes"] = each(screens, "differential_genes.parquet")
        files["screen_joins"] = each(screens, "joins.tsv")
    if "perturbation" in config:
        names = ("summary", "metrics", "strata")
        files |= {f"perturbation_{name}": f"{RESULTS}/perturbation/{name}.tsv" for name in names}
        if screens_with_doubles():
            files["perturbation_interactions"] = f"{RESULTS}/perturbation/interactions.tsv"
        if config["perturbation"]["transfer"]:
            files["perturbation_transfer"] = f"{RESULTS}/perturbation/transfer.tsv"
    if "prediction" in config:
        screens = [
            ({"screen": screen}, f"{RESULTS}/prediction/{screen}/") for screen in config["prediction"]["screens"]
        ]
        names = {"summary": "summary.json", "accuracy": "accuracy.tsv", "choice": "choice.tsv"}
        names |= {"changed": "changed_genes.tsv"}
        files |= {f"prediction_{name}": each(screens, file) for name, file in names.items()}
    if "design" in config:
        files |= {
            f"design_{name}": f"{RESULTS}/design/{name}.tsv"
            for name in ("order", "plates", "curve", "names", "joins", "guides")
        }
        if "cells" in config["design"]:
            files |= {f"design_{name}": f"{RESULTS}/design/{name}.tsv" for name in ("cells", "genes_by_cells")}
            files["design_cells_json"] = f"{RESULTS}/design/cells.json"
        files["design_summary"] = f"{RESULTS}/design/summary.json"
    if "selection" in config:
        names = ("summary", "contrasts", "worth")
        files |= {f"selection_{name}": f"{RESULTS}/selection/{name}.tsv" for name in names}
        screens = [({"screen": screen}, f"{RESULTS}/selection/{screen}/") for screen in config["selection"]["screens"]]
        files |= {f"selection_{name}": each(screens, f"{name}.tsv") for name in ("coverage", "stability", "costs")}
    return files


def report_files():
    """Everything that the report shows, by name: a path, or a list of (what it is of, path)."""
    files = screening_files()
    if "archive" in config:
        manifests = [({"batch": batch}, f"{RESULTS}/archive/batches/{batch}/manifest.jsonl") for batch in batches()]
        files |= {"studies": f"{RESULTS}/archive/studies.tsv", "manifests": manifests}
    if "corpus" in config and config.get("user_studies"):
        names = [study["name"] for study in config["user_studies"]]
        users = [({"study": name}, f"{RESULTS}/archive/user/{name}/") for name in names]
        files |= {"user_joins": each(users, "joins.tsv"), "user_notes": each(users, "notes.tsv")}
    if "corpus" in config:
        files |= CORPUS | {
            name: f"{RESULTS}/corpus/{name}.tsv"
            for name in ("dropped_runs", "orthologues", "excluded_ids", "vocabulary")
        }
    if "pretrain" in config:
        files |= pretrain_files()
    if "guide" in config:
        files |= guide_files()
    if "fewshot" in config:
        names = ("summary", "contrasts", "curves", "ranks", "tuning")
        files |= {f"fewshot_{name}": f"{RESULTS}/fewshot/{name}.tsv" for name in names}
    if "own_study" in config:
        files |= own_study_results()
    return files


def report_inputs(wildcards):
    """Paths of all that the report shows."""
    files = report_files().items()
    return {name: path if isinstance(path, str) else [file for _, file in path] for name, path in files}


def report_labels():
    """What each file of the lists among the report's inputs is of, in their order."""
    return {name: [labels for labels, _ in files] for name, files in report_files().items() if isinstance(files, list)}
