# What the rules of rules/design.smk read and which settings they get, as far as the config decides it.


def design_graphs():
    """Graphs that a design uses, the first one that of reach."""
    graph = config["design"]["graph"]
    return [graph] if isinstance(graph, str) else graph


def design_settings():
    """The section `design`; a first round that is a screen of this config is its profiles."""
    design = config["design"]
    if design["measured"] not in config.get("screens", {}):
        return design
    return design | {"measured": f"{RESULTS}/screen/{design['measured']}/pseudobulk.h5ad"}


def design_lists(wildcards):
    """A user's tables for the design of a screen, those that are given."""
    design = design_settings()
    names = "candidates measured responses required excluded targets aliases costs gene_weights library".split()
    filters = {f"filter_{name}": rule["path"] for name, rule in design["filters"].items()}
    vectors = [f"{RESULTS}/network/embeddings/{embedding}.parquet" for embedding in design["embeddings"]]
    given = {name: design[name] for name in names if design[name]} | filters
    return given | ({"embeddings": vectors} if vectors else {})


def cell_numbers(wildcards):
    """Where the plan of cells has its numbers from: a screen at hand, or the table of a pilot."""
    cells = config["design"]["cells"]
    if cells["pilot"]:
        return {"pilot": cells["pilot"]}
    folder = f"{RESULTS}/screen/{cells['screen']}"
    return {"pseudobulk": f"{folder}/pseudobulk.h5ad", "screen_cells": f"{folder}/cells.h5ad"}
