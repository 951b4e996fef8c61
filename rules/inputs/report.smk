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


def report_inputs(wildcards):
    """Everything that the report shows, by name."""
    files = {}
    if "archive" in config:
        manifests = [f"{RESULTS}/archive/batches/{batch}/manifest.jsonl" for batch in batches()]
        files |= {"studies": f"{RESULTS}/archive/studies.tsv", "manifests": manifests}
    if "corpus" in config:
        files |= CORPUS | {name: f"{RESULTS}/corpus/{name}.tsv" for name in ("dropped_runs", "orthologues")}
    if "pretrain" in config:
        bases = [f"{RESULTS}/pretrain/{base}" for base in config["pretrain"]["bases"]]
        files["pretrain_history"] = [f"{base}/history.parquet" for base in bases]
        files["pretrain_evaluation"] = [f"{base}/evaluation.tsv" for base in bases]
        files["pretrain_genes"] = [f"{base}/genes.parquet" for base in bases]
        files["pretrain_embeddings"] = [f"{base}/embeddings/{dataset}.h5ad" for base in bases for dataset in datasets()]
        compared = [f"{RESULTS}/pretrain/{base}/comparison/{task}" for base, task in comparisons()]
        files["pretrain_scores"] = [f"{name}.parquet" for name in compared]
        files["pretrain_contrasts"] = [f"{name}.json" for name in compared]
    if "guide" in config:
        schemes = [
            f"{RESULTS}/guide/{base}/{scheme}"
            for base in config["pretrain"]["bases"]
            for scheme in config["guide"]["schemes"]
        ]
        guides = [f"{scheme}/{guide}" for scheme in schemes for guide in GUIDES]
        files["guide_json"] = [f"{guide}.json" for guide in guides]
        files["gene_mobility"] = [f"{scheme}/gene_mobility.tsv" for scheme in schemes]
        files["scout_accuracy"] = [f"{scheme}/accuracy.tsv" for scheme in schemes]
    if "fewshot" in config:
        names = ("summary", "contrasts", "curves", "ranks", "tuning")
        files |= {f"fewshot_{name}": f"{RESULTS}/fewshot/{name}.tsv" for name in names}
    if "own_study" in config:
        names = {"scores": "tsv", "contrasts": "tsv", "permutations": "tsv", "summary": "json", "genes": "tsv"}
        names |= {"predictions": "parquet", "samples": "parquet"}
        files |= {f"own_{name}": f"{RESULTS}/own_study/{name}.{ending}" for name, ending in names.items()}
        files |= {
            "own_genes_json": f"{RESULTS}/own_study/genes.json",
            "own_card": f"{RESULTS}/own_study/model/card.json",
        }
    if "network" in config:
        graphs = [f"{RESULTS}/network/{graph}" for graph in config["network"]["graphs"]]
        files |= {
            "graphs": [f"{graph}.parquet" for graph in graphs],
            "graph_json": [f"{graph}.json" for graph in graphs],
        }
    if "screens" in config:
        screens = [f"{RESULTS}/screen/{screen}" for screen in config["screens"]]
        files["screen_pseudobulk"] = [f"{screen}/pseudobulk.h5ad" for screen in screens]
        files["screen_genes"] = [f"{screen}/differential_genes.parquet" for screen in screens]
    if "perturbation" in config:
        files |= {f"perturbation_{name}": f"{RESULTS}/perturbation/{name}.tsv" for name in ("summary", "capabilities")}
        if config["perturbation"]["transfer"]:
            files["perturbation_transfer"] = f"{RESULTS}/perturbation/transfer.tsv"
    if "design" in config:
        files |= {f"design_{name}": f"{RESULTS}/design/{name}.tsv" for name in ("order", "plates", "curve", "names")}
        files["design_summary"] = f"{RESULTS}/design/summary.json"
    if "selection" in config:
        files |= {f"selection_{name}": f"{RESULTS}/selection/{name}.tsv" for name in ("summary", "contrasts")}
        screens = config["selection"]["screens"]
        for name in ("coverage", "stability", "costs"):
            files[f"selection_{name}"] = [f"{RESULTS}/selection/{screen}/{name}.tsv" for screen in screens]
    return files
