# What the rules of rules/screen.smk read and which settings they get, as far as the config decides it.


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


def published_split(wildcards):
    """A split of a screen with doubles that others published, if there is one."""
    split = config["screens"][wildcards.screen]["published_split"]
    return {"published_split": split} if split else {}
