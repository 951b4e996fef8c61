"""Settings of the prediction of unseen perturbations."""

from dataclasses import dataclass, field
from typing import Annotated

from scarceseq.keys import Confidence, Count, Distinct, Limits, Name, Positive, Several, listed
from scarceseq.perturbation.gears.settings import GearsSettings


@dataclass(frozen=True)
class PredictorsSection:
    """Settings of those predictors that have some; each is named under perturbation.predictors or
    selection.predictors."""

    gears: GearsSettings = field(default_factory=GearsSettings)


@dataclass(frozen=True)
class PredictedScreen:
    """What predictors of one screen use."""

    graphs: Distinct[str] = listed()
    """Graphs that predictors use, by their name in network.graphs; those that use one run once for each."""
    embeddings: Distinct[str] = listed()
    """Gene embeddings that predictors use, by their name in network.embeddings."""


@dataclass(frozen=True)
class TransferSettings:
    """"""

    source: str
    """Screen to train on; if it is the target, a half of each split's pool."""
    target: str
    """Screen whose test perturbations are predicted."""
    graph: str
    """Graph of network.graphs; perturbed genes that it does not have are left out."""
    budgets: Annotated[list[Annotated[int, Limits(ge=2)]], Limits(min_length=1)] = listed(5, 10)
    """Perturbations of the target to fine-tune on, drawn at random."""
    scouts: Annotated[int, Limits(ge=2)] = 16
    """Fine-tunings on subsets of the source's perturbations, which make the guide."""
    scout_perturbations: Annotated[int, Limits(ge=2)] = 5
    """Perturbations of each scout."""
    steps: Count = 30
    """Of scouts and of fine-tuning."""
    scratch_steps: Count = 300
    """Of training from scratch."""
    learning_rates: Annotated[list[Positive], Limits(min_length=1)] = listed(0.0003, 0.001, 0.003, 0.01)
    """Candidates of each method, chosen on the validation splits; scouts have the median."""
    validation_splits: Count = 2
    """Splits that choose learning rates and are not judged."""


@dataclass(frozen=True, kw_only=True)
class PerturbationSection:
    """Predictors of unseen perturbations, trained on the whole pool of each split and judged on its test
    perturbations."""

    screens: Annotated[dict[str, PredictedScreen], Limits(min_length=1)]
    """Screens to predict, by their name in the section screens."""
    predictors: Several[str]
    """Predictors, by the name of their file in `perturbation/predictors`."""
    confidence: Confidence = 0.95
    """Confidence of the intervals over splits."""
    transfer: dict[Name, TransferSettings] = field(default_factory=dict)
    """Guided transfer, one comparison per name: GEARS trained on one screen of cells (settings: `predictors.gears`)
    and fine-tuned on few perturbations of another, with and without a guide."""
