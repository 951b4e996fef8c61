"""Sizes of a selection."""


def budget_sizes(pool, budgets, min_budget):
    """Numbers of perturbations for budgets in percent of the pool: at least `min_budget`, at most the pool, each once.

    Parameters
    ----------
    pool : int
    budgets : sequence of float
        Percent.
    min_budget : int

    Returns
    -------
    list of int
        Rising.
    """
    return sorted({min(pool, max(min_budget, round(percent * pool / 100))) for percent in budgets})
