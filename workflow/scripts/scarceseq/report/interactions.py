"""Genetic interactions of doubles: how well each predictor tells them."""

from scarceseq.perturbation.interaction_summary import summarise_interactions
from scarceseq.perturbation.interactions import LEAST_DOUBLES
from scarceseq.report.blocks import Table
from scarceseq.report.inputs import Inputs

NOTE = (
    "A double is fitted by c1 times the effect of its first gene and c2 times that of its second (Theil-Sen "
    "regression), as measured and as each model predicts all three (where predictions handed in lack a gene of the "
    "pool, its measured effect stands). "
    "Magnitude: length of (c1, c2); model fit: "
    "correlation of fit and double; similarity: distance correlation of singles and double; equality: of the "
    "contributions; dominance: size of log10 (c1 / c2). Correlation: of true and predicted over a split's doubles, "
    "mean over splits. Hits: share of the doubles truly most extreme, a tenth of a split's, that are predicted to be; "
    "chance is a tenth. "
    f"Splits with fewer than {LEAST_DOUBLES} doubles name none. A model that adds effects up predicts no interaction."
)


def interactions_table(inputs: Inputs) -> list[Table]:
    """The table; nothing without doubles."""
    if not inputs.has("perturbation_interactions"):
        return []
    table = summarise_interactions(inputs.table("perturbation_interactions").fillna({"source": "none"}))
    return [Table("perturbation_interactions", table, "Genetic interactions of doubles", NOTE)]
