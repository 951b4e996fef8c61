# What the rules of rules/pretrain.smk read and which settings they get, as far as the config decides it.


def base_settings(wildcards):
    """Settings of a base, or of one of its further seeds; the list of these does not matter to it."""
    name = next(base for base in config["pretrain"]["bases"] if wildcards.base in variants(base))
    settings = {key: value for key, value in config["pretrain"]["bases"][name].items() if key != "further_seeds"}
    return settings if wildcards.base == name else settings | {"seed": int(wildcards.base.rpartition("_seed")[2])}


def embedding_inputs(wildcards):
    """What is embedded: the corpus, or the counts of a user's study."""
    if wildcards.dataset == "corpus":
        return {name: CORPUS[name] for name in ("training", "samples", "splits", "attributes")}
    study = f"{RESULTS}/archive/user/{wildcards.dataset}"
    return {"study": f"{study}/study.h5ad", "attributes": f"{study}/attributes.parquet"}
