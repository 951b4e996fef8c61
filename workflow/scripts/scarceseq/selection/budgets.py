"""Sizes of a selection."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scarceseq.selection.settings import RoundSettings


def budget_sizes(pool: int, budgets: Sequence[float], min_budget: int, counts: Sequence[int] = ()) -> list[int]:
    """Numbers of perturbations for budgets in percent of the pool: at least `min_budget`, at most the pool, each once.

    Parameters
    ----------
    pool : int
    budgets : sequence of float
        Percent.
    min_budget : int
    counts : sequence of int
        Further sizes, in perturbations; those above the pool are left out.

    Returns
    -------
    list of int
        Rising.
    """
    sizes = {min(pool, max(min_budget, round(percent * pool / 100))) for percent in budgets}
    return sorted(sizes | {count for count in counts if min_budget <= count <= pool})


def round_sizes(pool: int, settings: "RoundSettings", min_budget: int) -> list[int]:
    """Numbers of perturbations measured after the first round and after each further one, at most the pool.

    Parameters
    ----------
    pool : int
    settings : scarceseq.selection.settings.RoundSettings
    min_budget : int
        Least size of the first round.

    Returns
    -------
    list of int
        Rising; rounds that would find nothing left are not there.
    """
    percent = settings.unit == "percent"
    ends = [settings.first + settings.batch * batch for batch in range(settings.rounds + 1)]
    sizes = [round(end * pool / 100) if percent else round(end) for end in ends]
    return sorted({min(pool, max(min_budget, size)) for size in sizes})
