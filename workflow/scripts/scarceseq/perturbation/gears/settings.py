"""Settings of GEARS; the config schema holds their defaults and their meaning."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class ModelSettings:
    """The network; the defaults are those of cell-gears 0.1.2."""

    hidden: int = 64
    similarity_layers: int = 1
    coexpression_layers: int = 1
    uncertainty: bool = False


@dataclass(frozen=True)
class TrainingSettings:
    """How it is trained; the defaults are those of cell-gears 0.1.2, except where that has no such thing.

    `batch` counts cells, or perturbations in the mode ``moments`` (0: all at once). `steps_per_epoch` and `weights`
    concern the mode ``moments`` alone.
    """

    mode: str = "reference"
    epochs: int = 20
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 5e-4
    decay_per_epoch: float = 0.5
    largest_gradient: float = 1.0
    direction_weight: float = 0.1
    uncertainty_weight: float = 1.0
    steps_per_epoch: int = 0
    weights: str = "uniform"


@dataclass(frozen=True)
class PredictorSettings:
    """What the predictor adds: an ensemble, cells and cut-offs of the co-expression graph, and where it runs."""

    members: int = 1
    seed: int = 1
    coexpression_cells: str = "training"
    min_correlation: float = 0.4
    coexpression_top_k: int = 20
    device: str = "cpu"
    threads: int = 1


def divide(settings):
    """Keys of the config as (PredictorSettings, ModelSettings, TrainingSettings)."""
    kinds = PredictorSettings, ModelSettings, TrainingSettings
    return tuple(kind(**{f.name: settings[f.name] for f in fields(kind) if f.name in settings}) for kind in kinds)
