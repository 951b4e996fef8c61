"""Names of ways of choosing: a selector, or one in rounds with the model that it works on, as in ``bald@gears``."""

from scarceseq import registry


def parts(name):
    """(selector, model) that a name stands for; the model is None where the name leaves it to ``rounds.model``."""
    selector, _, model = name.partition("@")
    return selector, model or None


def declared(name, constant):
    """What the selector of a name declares, such as ``ROUNDS``; see `scarceseq.registry.declared`."""
    return registry.declared("selection.selectors", parts(name)[0], constant)
