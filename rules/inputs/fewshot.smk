# What the rules of rules/fewshot.smk read and which settings they get, as far as the config decides it.


def method_blocks(task):
    """Methods of a task in blocks that share a job; a block is named after its first method."""
    methods = config["fewshot"]["tasks"][task]["methods"] or config["fewshot"]["methods"]
    size = config["fewshot"]["methods_per_job"]
    blocks = [methods[first : first + size] for first in range(0, len(methods), size)]
    return {block[0]: block for block in blocks}


def learned_file(base, method):
    """What a few-shot method needs that was learned on other studies: a guide, or what meta-learning made; or None."""
    needed = method_names.learned(method)
    if needed is None:
        return None
    key, name = needed.split("/")
    return f"{RESULTS}/guide/{base}/{config['fewshot'].get(key, key)}/{name}.safetensors"


def learned_inputs(wildcards):
    """All that the methods of a block need, each once."""
    block = method_blocks(wildcards.task)[wildcards.block]
    paths = dict.fromkeys(learned_file(wildcards.base, method) for method in block)
    return {"learned": [path for path in paths if path]}


def block_methods(wildcards):
    """The methods of a block: what each needs, and its candidates."""
    return {
        method: {"learned": learned_file(wildcards.base, method), "candidates": candidates_of("fewshot", method)}
        for method in method_blocks(wildcards.task)[wildcards.block]
    }


def episode_settings(wildcards):
    """Which and how many episodes the cells of a task have."""
    fewshot, task = config["fewshot"], config["fewshot"]["tasks"][wildcards.task]
    chosen = {key: task[key] for key in ("split", "label", "protocol", "classes", "group")}
    chosen |= {key: fewshot[key] for key in ("validation_episodes", "query_per_class")}
    return chosen | {"episodes": task["episodes"] or fewshot["episodes"]}


def compared_variants(task):
    """(base, its seeds that the task compares) of the base models that hold the task's test studies out."""
    settings = config["fewshot"]["tasks"][task]
    for base, trained in config["pretrain"]["bases"].items():
        if trained["split"] == settings["split"]:
            yield base, variants(base)[: settings["seeds"] or config["fewshot"]["seeds"]]


def fewshot_cells():
    """(task, way, shot) of every cell."""
    for task, settings in config["fewshot"]["tasks"].items():
        yield from ((task, way, shot) for way in settings["ways"] for shot in settings["shots"])


def fewshot_methods():
    """(base, method, task) of everything that is asked for."""
    return [
        (base, method, task)
        for task, settings in config["fewshot"]["tasks"].items()
        for base, trained in config["pretrain"]["bases"].items()
        if trained["split"] == settings["split"]
        for method in settings["methods"] or config["fewshot"]["methods"]
    ]


def fewshot_plans():
    """What was planned for each cell."""
    return [f"{RESULTS}/fewshot/episodes/{task}/{way}way_{shot}shot.json" for task, way, shot in fewshot_cells()]


def fewshot_fits():
    """(base, its seed's name, block, task, way, shot) of every fit of a block to a cell.

    Methods that never see the network give the same for each of a base's seeds, so that one is enough.
    """
    for task, way, shot in fewshot_cells():
        for base, seeds in compared_variants(task):
            for block, methods in method_blocks(task).items():
                sees = any(method_names.sees_network(method) for method in methods)
                for variant in seeds if sees else seeds[:1]:
                    yield base, variant, block, task, way, shot


def fewshot_files(kind):
    """Files of one kind of every fit."""
    return [
        f"{RESULTS}/fewshot/{kind}/{variant}/{block}/{task}/{way}way_{shot}shot.parquet"
        for _, variant, block, task, way, shot in fewshot_fits()
    ]
