# What the rules of rules/design.smk read and which settings they get, as far as the config decides it.


def design_lists(wildcards):
    """A user's tables for the design of a screen, those that are given."""
    names = "candidates measured required excluded targets aliases costs gene_weights".split()
    return {name: config["design"][name] for name in names if config["design"][name]}
