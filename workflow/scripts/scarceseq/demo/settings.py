"""Settings of the small world."""

from dataclasses import dataclass
from typing import Annotated

from scarceseq.keys import Count, Limits, NotNegative, Share, Whole


@dataclass(frozen=True)
class DemoSettings:
    """A small world with known truth (archive, Perturb-seq screen, annotation), generated from one latent model of
    gene programmes. Leave the section out for real input."""

    studies: Annotated[int, Limits(ge=10, le=1000)] = 60
    """Number of studies in the archive."""
    genes: Annotated[int, Limits(ge=200, le=20000)] = 2000
    """Number of annotated genes."""
    perturbations: Annotated[int, Limits(ge=10)] = 150
    """Number of single-gene perturbations in the screen; at most a quarter of the genes."""
    cells_per_perturbation: Annotated[int, Limits(ge=5)] = 40
    """Typical number of cells of a perturbation; they vary from half to twice this. Control has ten times as many."""
    doubles: Whole = 0
    """Number of perturbations of two of these genes, with known interactions (`truth/doubles.parquet`)."""
    tissues: Annotated[int, Limits(ge=3, le=20)] = 12
    """Number of tissues, of unequal popularity."""
    treatments: Annotated[Count, Limits(le=6)] = 4
    """Number of kinds of treatment."""
    programmes: Annotated[int, Limits(ge=4, le=200)] = 25
    """Number of gene programmes."""
    graph_smoothness: Annotated[float, Limits(ge=0, le=0.95)] = 0.6
    """How far a shift of one programme spreads along the graph of programmes; 0 for not at all."""
    tissue_strength: NotNegative = 0.6
    """Standard deviation of a programme's activity between tissues, in log2 units."""
    treatment_strength: NotNegative = 0.5
    """Standard deviation of a programme's shift by a treatment, in log2 units."""
    batch_strength: NotNegative = 1.0
    """Strength of study effects, as a multiple of the calibrated one."""
    effect_strength: NotNegative = 1.0
    """Median strength of the perturbations; their strengths are log-normal."""
    annotation_noise: Share = 0.15
    """Chance that a true annotation is missing. Wrong ones are added in proportion."""
