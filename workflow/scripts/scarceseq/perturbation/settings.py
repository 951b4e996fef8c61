"""Settings of the prediction of unseen perturbations."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from scarceseq.keys import Confidence, Count, Distinct, File, Limits, Name, Positive, Several, listed
from scarceseq.perturbation.gears.settings import GearsSettings


@dataclass(frozen=True)
class PredictorsSection:
    """Settings of the predictors that have some. They run where perturbation.predictors or selection.predictors name
    them."""

    gears: GearsSettings = field(default_factory=GearsSettings)


@dataclass(frozen=True, kw_only=True)
class GivenPredictions:
    """Profiles predicted elsewhere."""

    path: File
    """An `.h5ad` (columns `split` and `perturbation` of obs, genes as var) or a table (.parquet, .tsv, .csv, gzipped or
    not) with the columns `split`, `perturbation` and one for each gene: a row for each test perturbation of each
    split. Genetic interactions of doubles are taken from these rows, and for a gene of the pool that has none from its
    measured effect."""
    values: Literal["delta", "expression"] = "delta"
    """What they are: differences to control, or mean expression in the units of the screen's cells, from which the mean
    of control is taken."""


@dataclass(frozen=True)
class PredictedScreen:
    """What predictors of one screen use."""

    graphs: Distinct[str] = listed()
    """Graphs of `network.graphs`; predictors that use a graph run once for each."""
    embeddings: Distinct[str] = listed()
    """Gene embeddings of `network.embeddings` that predictors use."""
    predictions: dict[Name, GivenPredictions] = field(default_factory=dict)
    """Profiles that somebody else predicted for the splits of `screen/<screen>/splits.tsv`, by name; they are scored
    beside the predictors."""


@dataclass(frozen=True)
class TransferSettings:
    """Guided transfer from one screen to another."""

    source: str
    """Screen to train on. If it is the target, half of each split's pool is trained on."""
    target: str
    """Screen whose test perturbations are predicted."""
    graph: str
    """Graph of `network.graphs`. Perturbed genes that it lacks are left out."""
    budgets: Annotated[list[Annotated[int, Limits(ge=2)]], Limits(min_length=1)] = listed(5, 10)
    """Numbers of the target's perturbations to fine-tune on, drawn at random."""
    scouts: Annotated[int, Limits(ge=2)] = 16
    """Number of scouts: fine-tunings on subsets of the source's perturbations, which make the guide."""
    scout_perturbations: Annotated[int, Limits(ge=2)] = 5
    """Perturbations of each scout."""
    steps: Count = 30
    """Steps of scouts and of fine-tuning."""
    scratch_steps: Count = 300
    """Steps of training from scratch."""
    learning_rates: Annotated[list[Positive], Limits(min_length=1)] = listed(0.0003, 0.001, 0.003, 0.01)
    """Learning rates that each method tries on the validation splits; scouts have the median."""
    validation_splits: Count = 2
    """Number of splits on which learning rates are chosen, and which are not judged."""


@dataclass(frozen=True, kw_only=True)
class PerturbationSection:
    """Predictors of unseen perturbations, trained on the whole pool of each split and judged on its test
    perturbations."""

    screens: Annotated[dict[str, PredictedScreen], Limits(min_length=1)]
    """Screens to predict, by their names in `screens`."""
    predictors: Several[str]
    """Predictors, by the names of their files in `perturbation/predictors`."""
    confidence: Confidence = 0.95
    """Confidence level of the intervals over splits."""
    transfer: dict[Name, TransferSettings] = field(default_factory=dict)
    """Guided transfer, by name of the comparison: GEARS (`predictors.gears`) is trained on one screen of cells and
    fine-tuned on few perturbations of another, with and without a guide."""
