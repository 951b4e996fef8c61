"""Settings of selection, one group per step; their defaults and meaning are in the config schema."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RankingSettings:
    """What rankings depend on."""

    random_draws: int
    hops: int


@dataclass(frozen=True)
class BudgetSettings:
    """Sizes of a selection: percent of the pool, numbers of perturbations, the smallest number; seeds per model."""

    budgets: list[float]
    min_budget: int
    counts: tuple = ()
    model_seeds: int = 1


@dataclass(frozen=True)
class RoundSettings:
    """A first round and as many further ones, in percent of the pool or in perturbations, and the model in between."""

    first: float
    batch: float
    rounds: int
    unit: str
    draws: int
    model: str


@dataclass(frozen=True)
class StabilitySettings:
    """Changes under which choices are repeated."""

    selectors: list[str]
    repeats: int
    pool_share: float
    edge_shares: list[float]


@dataclass(frozen=True)
class JudgementSettings:
    """How differences are judged."""

    worthwhile_share: float
    confidence: float
