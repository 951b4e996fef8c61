"""Genes of interest: which they are, and what measured genes they are like."""

from collections.abc import Sequence
from typing import Any

import anndata
import numpy as np
import pandas as pd

from scarceseq.errors import InputError

NEIGHBOURS, DRAWN_PAGES = 5, 10
COLUMNS = ["perturbation", "place", "neighbour", "similarity", "agreement"]


def genes_of_interest(made: anndata.AnnData, named: Sequence[str], strange: Sequence[str]) -> list[str]:
    """The genes that get a page: those named, or the unmeasured ones of the largest predicted change.

    `made` holds predicted profiles, with the layer ``sd`` and ``measured`` of obs. `strange` are genes of which no
    graph and no embedding knows anything and that were not measured; InputError if one of those named is among them.
    """
    for gene in named:
        if gene in set(strange):
            raise InputError(
                f"config key prediction.screens: pages names {gene}, which the screen did not measure and no graph or "
                "embedding has; check the spelling, or leave it out"
            )
    if named:
        return list(named)
    deviation = made.layers["sd"].astype(float)
    size = ((made.X / np.where(deviation > 0, deviation, np.inf)) ** 2).mean(axis=1)
    free = np.flatnonzero(~made.obs["measured"].to_numpy())
    order = free[np.argsort(-size[free], kind="stable")][:DRAWN_PAGES]
    return made.obs_names[order].tolist()


def neighbours_of(
    genes: Sequence[str], everyone: np.ndarray, similar: Any, delta: np.ndarray, made: anndata.AnnData
) -> pd.DataFrame:
    """The measured genes that each gene is most like, other than itself.

    `everyone` are all genes, the measured ones first; `similar`, (genes, features), their features, whose products are
    the kernel; `delta`, (measured genes, columns), what was measured; `made` the predicted profiles. Returns `COLUMNS`;
    similarity above 0 only; agreement is the correlation of the neighbour's measured profile and the predicted one, the
    mean effect taken from both (0 where nothing is left).
    """
    measured, rows = len(delta), []
    mean = delta.mean(axis=0)
    place_of = {name: place for place, name in enumerate(everyone)}
    for gene in genes:
        likeness = np.asarray((similar[[place_of[gene]]] @ similar[:measured].T).todense()).ravel()
        if place_of[gene] < measured:
            likeness[place_of[gene]] = 0
        order = np.argsort(-likeness, kind="stable")[:NEIGHBOURS]
        effect = made[gene].X.ravel().astype(float) - mean
        for place, other in enumerate(order[likeness[order] > 0], start=1):
            agreement = correlation(effect, delta[other] - mean)
            rows.append((gene, place, everyone[other], round(float(likeness[other]), 6), round(agreement, 6)))
    return pd.DataFrame(rows, columns=COLUMNS)


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's; 0 where one of both does not vary."""
    if np.ptp(first) < 1e-9 or np.ptp(second) < 1e-9:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
