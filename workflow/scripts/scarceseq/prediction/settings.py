"""Settings of the prediction of profiles."""

from dataclasses import dataclass
from typing import Annotated

from scarceseq.keys import Confidence, Count, Distinct, File, Limits, Several, listed


@dataclass(frozen=True)
class PredictionSettings:
    """What is predicted from one screen, and by what."""

    graphs: Distinct[str] = listed()
    """Graphs of `network.graphs` whose kernels are averaged."""
    embeddings: Distinct[str] = listed()
    """Gene embeddings of `network.embeddings` whose kernels are averaged."""
    genes: File | None = None
    """Genes whose perturbation is predicted, one per line; null for all genes of the graphs and embeddings."""
    pages: Distinct[str] = listed()
    """Genes of interest, each of which gets a page; empty for the ten unmeasured genes of the largest predicted
    change."""
    predictors: Several[str] = listed("training_mean", "mean_kernel", "mean_kernel_tuned")
    """Predictors to choose from on held-out perturbations: `training_mean`, and those on several kernels."""
    folds: Annotated[int, Limits(ge=3)] = 5
    """Folds of the perturbations: each is predicted from the others, the choice of the predictor included."""
    top_genes: Count = 20
    """Length of each perturbation's list of genes that change most, by predicted change over its standard deviation."""
    confidence: Confidence = 0.95
    """Confidence level of the intervals, by resampling perturbations."""


@dataclass(frozen=True, kw_only=True)
class PredictionSection:
    """Profiles of perturbations that a screen did not measure, with how far they may be off."""

    screens: Annotated[dict[str, PredictionSettings], Limits(min_length=1)]
    """Screens to learn from, by their names in `screens`."""
