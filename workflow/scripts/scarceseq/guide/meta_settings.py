"""Settings of meta-learning; the config schema holds their defaults and their meaning."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MetaSettings:
    """The config key ``guide.meta``, field by field, without the scheme that its tasks come from."""

    tasks: int
    passes: int
    inner_steps: int
    inner_learning_rate: float
    outer_learning_rate: float
