"""Sizes of a selection."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scarceseq.selection.settings import RoundSettings


def budget_sizes(pool: int, budgets: Sequence[float], min_budget: int, counts: Sequence[int] = ()) -> list[int]:
    """Numbers of perturbations for budgets in percent of the pool: at least `min_budget`, at most the pool, each once.

    They rise. `budgets` are percent; `counts` are further sizes, in perturbations, without those above the pool.
    """
    sizes = {min(pool, max(min_budget, round(percent * pool / 100))) for percent in budgets}
    return sorted(sizes | {count for count in counts if min_budget <= count <= pool})


def round_sizes(pool: int, settings: "RoundSettings", min_budget: int) -> list[int]:
    """Numbers of perturbations measured after the first round and after each further one, at most the pool.

    They rise; rounds that would find nothing left are not there. `min_budget` is the least size of the first round.
    """
    percent = settings.unit == "percent"
    ends = [settings.first + settings.batch * further for further in range(settings.rounds + 1)]
    sizes = [round(end * pool / 100) if percent else round(end) for end in ends]
    return sorted({min(pool, max(min_budget, size)) for size in sizes})
