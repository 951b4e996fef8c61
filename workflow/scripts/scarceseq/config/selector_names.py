"""Names of ways of choosing: a selector, or one in rounds with the model that it works on, as in ``bald@gears``."""

from scarceseq import registry


def parts(name):
    """(selector, model) that a name stands for; the model is None where the name leaves it to ``rounds.model``."""
    selector, _, model = name.partition("@")
    return selector, model or None


def declared(name, constant):
    """What the selector of a name declares, such as ``ROUNDS``; see `scarceseq.registry.declared`."""
    return registry.declared("selection.selectors", parts(name)[0], constant)


def one_shot_on_graph(selector):
    """Whether a selector ranks in one shot, and on one graph."""
    return not declared(selector, "ROUNDS") and "graph" in declared(selector, "NEEDS")


def selector_jobs(selectors):
    """Selectors that share jobs, by the jobs' name: the config's named lists, or each selector alone."""
    return selectors if isinstance(selectors, dict) else {name: [name] for name in selectors}
