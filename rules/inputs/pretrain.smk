# What the rules of rules/pretrain.smk read and which settings they get, as far as the config decides it.


def base_entry(wildcards):
    """Entry of the config of a base, or of one of its further seeds."""
    bases = config["pretrain"]["bases"]
    return bases[next(base for base in bases if wildcards.base in variants(base))]


def base_settings(wildcards):
    """Settings of a base, or of one of its further seeds; neither the list of these nor threads matter to it."""
    settings = {key: value for key, value in base_entry(wildcards).items() if key not in ("further_seeds", "threads")}
    own = wildcards.base in config["pretrain"]["bases"]
    return settings if own else settings | {"seed": int(wildcards.base.rpartition("_seed")[2])}


def embedding_inputs(wildcards):
    """What is embedded: the corpus, or the counts of a user's study."""
    if wildcards.dataset == "corpus":
        return {name: CORPUS[name] for name in ("training", "samples", "splits", "attributes")}
    study = f"{RESULTS}/archive/user/{wildcards.dataset}"
    return {"study": f"{study}/study.h5ad", "attributes": f"{study}/attributes.parquet"}
