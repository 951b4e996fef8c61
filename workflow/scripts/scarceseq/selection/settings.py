"""Settings of selection; their defaults and meaning are in the config schema."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class SelectionSettings:
    """The config section ``selection``, less the lists of what to run."""

    splits: int
    test_share: float
    budgets: list[float]
    min_budget: int
    random_draws: int
    hops: int
    worthwhile_share: float
    confidence: float

    @classmethod
    def of(cls, settings):
        """Settings from the config's dictionary, which also lists screens, selectors and predictors."""
        return cls(**{field.name: settings[field.name] for field in fields(cls)})
