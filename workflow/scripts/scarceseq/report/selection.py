"""Selection: learning curves over budgets, contrasts against random choice, and what is not defined."""


def section(inputs):
    return None


def section(inputs):
    """Section of the page, or None if nothing was selected."""
    return None if not inputs.has("selection_summary") else None
