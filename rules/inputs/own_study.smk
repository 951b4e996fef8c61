# What the rules of rules/own_study.smk read and which settings they get, as far as the config decides it.


# What is unpacked of a packed model, by name.
PACKED = {
    "model": "<results>/own_study/model/model.safetensors",
    "information": "<results>/own_study/model/model.json",
    "card": "<results>/own_study/model/card.json",
    "components": "<results>/own_study/model/components.safetensors",
    "sketches": "<results>/own_study/model/sketches.safetensors",
    **{guide: f"<results>/own_study/model/{guide}.safetensors" for guide in GUIDES},
}


# What classifiers of the study's own genes read.
OWN_VALUES = {
    "counts": "<results>/own_study/counts.parquet",
    "samples": "<results>/own_study/samples.parquet",
    "features": "<results>/own_study/features.parquet",
}


def packed_model():
    """The packed model, if there is one."""
    return {"packed": config["own_study"]["model"]} if config["own_study"]["model"] else {}


def packed_files(names):
    """Files of the packed model, none where there is no model."""
    return {name: PACKED[name] for name in names.split()} if config["own_study"]["model"] else {}


def own_study_expression():
    """Expression in the model's genes, if there is a model."""
    return {"expression": "<results>/own_study/expression.npy"} if config["own_study"]["model"] else {}


def own_gene_sets():
    """The user's file of gene sets, if there is one."""
    return {"gene_sets": config["own_study"]["gene_sets"]} if config["own_study"]["gene_sets"] else {}


def own_enrichment():
    """Which gene sets differ, if there are any."""
    enriched = {"enrichment": "<results>/own_study/gene_set_enrichment.tsv"}
    return enriched if config["own_study"]["gene_sets"] else {}


def own_study_files(wildcards):
    """The user's tables: counts, labels if they are apart, gene sets, orthologues if the organism differs."""
    study = config["own_study"]
    tables = {name: study[name] for name in ("counts", "labels", "gene_id_table", "gene_sets") if study[name]}
    return tables | ({"orthologues": study["orthologues"]["table"]} if study["orthologues"] else {})


def own_study_settings(purpose):
    """Keys of the own study that one of its steps needs."""
    keys = {
        "import": "name accessions counts labels sample_column label classes group block gene_sets gene_id_type organism orthologues "
        "minimum_gene_share held_out gene_id_table gene_id_column ensembl_column quantity duplicate_samples "
        "minimum_matched_share",
        "folds": "folds repeats inner_folds least_calibrated",
        "telling": "label confidence smallest_difference",
        "explaining": "path_points shuffles named_genes",
    }
    return {key: config["own_study"][key] for key in keys[purpose].split() if key in config["own_study"]}


def own_study_methods(names):
    """Methods of the own study: the guide that each needs, and its candidates."""
    methods = {}
    for name in names:
        guide = method_names.learned(name)
        methods[name] = {
            "learned": guide and f"{RESULTS}/own_study/model/{Path(guide).name}.safetensors",
            "candidates": candidates_of("own_study", name),
        }
    return methods


def own_study_guides():
    """Guides of the packed model that the methods need, each once."""
    needed = [method["learned"] for method in own_study_methods(config["own_study"]["methods"]).values()]
    return sorted({path for path in needed if path})
