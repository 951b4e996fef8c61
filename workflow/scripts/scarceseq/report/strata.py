"""Strata of perturbations: what each predictor reaches in each."""

import pandas as pd

from scarceseq.perturbation.strata import NO_GRAPH, RESISTANT, SOLVED
from scarceseq.report.blocks import Table
from scarceseq.report.wording import words

NOTE = (
    "Squared error over the training mean's, with its interval over splits, and the number of perturbations. "
    f"Baseline-solved: the mean of all others leaves at most {100 * SOLVED:g} % of a perturbation's squared effect; "
    f"resistant: {100 * RESISTANT:g} % or more; intermediate: between. Strong: squared effect, less its noise where "
    "halves of cells tell it, at or above the screen's median. Near: strongest link to a perturbation of the pool at "
    "or above the median of all that are tested. Seen: how many of a double's genes the pool has. Difficulty and "
    "strength are read from the measurement: they describe, and cannot be known beforehand."
)


def strata_table(screen: str, strata: pd.DataFrame) -> Table:
    """Table of one screen: a row per predictor, a column per stratum.

    `strata`: its rows of `scarceseq.perturbation.strata.summarise_strata`.
    """
    title = f"Predictors in strata of perturbations, screen {screen}"
    return Table(f"perturbation_strata_{screen}", strata, title, NOTE, shown=arranged(strata))


def arranged(strata: pd.DataFrame) -> pd.DataFrame:
    """Predictors x strata, each cell with the error, its interval and the number of perturbations."""
    rows = strata.copy()
    source = [f" ({words(name)})" if name != NO_GRAPH else "" for name in rows["source"]]
    rows["predictor"] = [words(name) + given for name, given in zip(rows["predictor"], source, strict=True)]
    where = [f" in {words(name)}" if name != NO_GRAPH else "" for name in rows["graph"]]
    rows["stratum"] = [name + graph for name, graph in zip(rows["stratum"], where, strict=True)]
    rows["text"] = [
        f"{row.relative:.3g} [{row.relative_low:.3g}, {row.relative_high:.3g}], n = {row.perturbations}"
        for row in rows.itertuples()
    ]
    wide = rows.pivot(index="predictor", columns="stratum", values="text")
    order = rows.sort_values(["by", "graph", "stratum"], kind="stable")["stratum"]
    return wide[list(dict.fromkeys(order))].fillna("").reset_index().rename_axis(columns=None)
