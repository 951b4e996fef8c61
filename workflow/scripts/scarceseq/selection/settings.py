"""Settings of selection, one group per step; their defaults and meaning are in the config schema."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RankingSettings:
    """What rankings depend on."""

    random_draws: int
    hops: int


@dataclass(frozen=True)
class BudgetSettings:
    """Sizes of a selection: percent of the pool, and the smallest number of perturbations."""

    budgets: list[float]
    min_budget: int


@dataclass(frozen=True)
class JudgementSettings:
    """How differences are judged."""

    worthwhile_share: float
    confidence: float
