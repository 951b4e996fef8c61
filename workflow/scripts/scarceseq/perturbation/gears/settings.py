"""Settings of GEARS."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from scarceseq.keys import Count, Limits, NotNegative, Positive, Share, Whole


@dataclass(frozen=True)
class ModelSettings:
    """The network; the defaults are those of cell-gears 0.1.2."""

    hidden: Annotated[int, Limits(ge=2)] = 64
    """Width of the network."""
    similarity_layers: Count = 1
    """Number of steps along the gene graph."""
    coexpression_layers: Count = 1
    """Number of steps along the co-expression graph."""
    uncertainty: bool = False
    """Let the network estimate the log-variance of each gene too."""


@dataclass(frozen=True)
class TrainingSettings:
    """How it is trained."""

    mode: Literal["moments", "corrected", "reference"] = "corrected"
    """What a training step sees. `reference`: single cells as in cell-gears 0.1.2, each beside one random control
    cell; `corrected`: each cell against all control cells of its batch; `moments`: all cells of a perturbation at
    once, by four moments per gene. docs/benchmark/gears_modes.tsv compares them."""
    epochs: Count = 20
    """Passes through the data, as in cell-gears; the weights after the last one are used. The mode `moments` takes
    more, such as 60."""
    batch: Whole = 32
    """Cells of a training step, as in cell-gears. In the mode `moments`, perturbations beside control; 0 for all, 4 to
    16 do well."""
    learning_rate: Positive = 0.001
    """First learning rate of Adam, as in cell-gears."""
    weight_decay: NotNegative = 0.0005
    """Weight decay of Adam."""
    decay_per_epoch: Annotated[float, Limits(gt=0, le=1)] = 0.5
    """Factor of the learning rate after each epoch, as in cell-gears; 0.9 suits the short epochs of the mode
    `moments`."""
    largest_gradient: Positive = 1.0
    """Gradients are clipped at this absolute value."""
    direction_weight: NotNegative = 0.1
    """Mode `reference`: weight of the direction term, which adds to the loss and has no gradient."""
    uncertainty_weight: NotNegative = 1.0
    """Weight of that term of the loss which the log-variance scales."""
    steps_per_epoch: Whole = 50
    """Mode `moments`: training steps of an epoch; 0 goes through the perturbations once."""
    weights: Literal["uniform", "reference-expected"] = "reference-expected"
    """Mode `moments`: weights of perturbations in the loss; `reference-expected` are those that batches of 32 cells
    have on average."""


@dataclass(frozen=True)
class PredictorSettings:
    """What the predictor adds: an ensemble, and the cut-offs of the co-expression graph; and where it runs."""

    members: Count = 1
    """Networks that are trained side by side from different initial weights; their mean is the prediction."""
    seed: Whole = 1
    """Seed of initial weights and batches."""
    coexpression_cells: Literal["training", "control"] = "training"
    """Cells by which genes are co-expressed: `training`, control cells and those of the training perturbations, anew
    for each training; `control`, control cells alone. At most 10,000, evenly spaced."""
    min_correlation: Share = 0.4
    """Smallest absolute correlation of an edge."""
    coexpression_top_k: Count = 20
    """Number of strongest edges that each gene keeps."""
    device: str = "cpu"
    threads: int = 1


@dataclass(frozen=True)
class GearsSettings(TrainingSettings, ModelSettings, PredictorSettings):
    """GEARS, a neural network on a gene graph; for screens of cells."""


def divide(settings: dict[str, Any]) -> tuple[PredictorSettings, ModelSettings, TrainingSettings]:
    """Keys of the config, with device and threads, by what needs them."""

    def chosen(kind: type) -> dict[str, Any]:
        return {field.name: settings[field.name] for field in fields(kind) if field.name in settings}

    return (
        PredictorSettings(**chosen(PredictorSettings)),
        ModelSettings(**chosen(ModelSettings)),
        TrainingSettings(**chosen(TrainingSettings)),
    )
