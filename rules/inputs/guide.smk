# What the rules of rules/guide.smk read and which settings they get, as far as the config decides it.


def guide_blocks(wildcards):
    """Names of the blocks of scouts; how many there are does not depend on the machine."""
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
