"""The plan of cells that a design gives: from a screen or a pilot, and of genes against cells for a budget."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scarceseq.design.cells import Numbers, cells_table, numbers_of_pilot, numbers_of_screen, reliability
from scarceseq.design.choice import greedily, posterior_of
from scarceseq.design.filters import apply_filters
from scarceseq.design.genes_by_cells import affordable, plan
from scarceseq.design.lists import read_lists
from scarceseq.design.problem import pose
from scarceseq.errors import InputError
from scarceseq.network.graph import Graph
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.perturbation.training_cells import read_cells
from scarceseq.user_tables import read_user_table

if TYPE_CHECKING:
    import anndata

    from scarceseq.perturbation.features import Source

MOST_GENES, STEPS = 2000, 16
PILOT = ["gene", "mean", "dispersion"]


def read_numbers(
    settings: dict[str, Any], pilot: str | None, profiles: "anndata.AnnData | None", cells: str | None
) -> Numbers:
    """Numbers of a pilot's table, or else of a screen.

    - `settings`: the config's section ``design.cells``
    - `pilot`: path of a table with the columns `PILOT`
    - `profiles`, `cells`: of one screen; profiles, and the path of the cells that `normalise_cells` wrote

    Raises `InputError` if the pilot's numbers cannot be those of counts.
    """
    change = settings["log2_fold_change"]
    if pilot is not None:
        table = read_user_table(pilot, PILOT)
        mean, dispersion = table.numbers([table.header.index(name) for name in PILOT[1:]]).T
        wrong = ~((mean > 0) & (dispersion >= 0))
        if wrong.any():
            gene = table.text(PILOT[:1]).iloc[int(wrong.argmax()), 0]
            raise InputError(f"{pilot}: gene {gene} needs a positive mean and a dispersion of 0 or more")
        return numbers_of_pilot(mean, dispersion, change, settings["depth"])
    assert profiles is not None
    assert cells is not None
    every = read_cells(Path(cells), profiles.obs_names)
    control = every.expression[every.condition == 0].toarray()
    within = within_variance(every.expression, every.condition)
    counted = profiles.obs["cells"].to_numpy(float)
    return numbers_of_screen(control, np.asarray(profiles.X, float), counted, within, change)


def within_variance(expression: Any, condition: np.ndarray) -> np.ndarray:
    """Variance of a cell around the mean of its perturbation, pooled over perturbations; (genes,)."""
    squares, freedom = np.zeros(expression.shape[1]), 0
    for place in range(1, int(condition.max()) + 1):
        cells = expression[condition == place].toarray()
        squares += ((cells - cells.mean(axis=0)) ** 2).sum(axis=0)
        freedom += len(cells) - 1
    return squares / freedom


def sizes(candidates: int, settings: dict[str, Any]) -> list[int]:
    """Numbers of genes to look at, by equal factors, up to what the budget buys with the fewest cells."""
    most = min(candidates, MOST_GENES)
    while most > 1 and affordable(most, settings) < settings["least_cells"]:
        most -= 1
    return sorted({round(size) for size in np.geomspace(min(8, most), most, STEPS)})


def plan_cells(
    sources: "Sequence[Source]", settings: dict[str, Any], numbers: Numbers
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Tables of cells, and of genes against cells where there is a budget and the signal is known.

    - `sources`: graphs, then embeddings, as of the design
    - `settings`: the config's section ``design``

    Returns the tables of `scarceseq.design.cells.cells_table` and `scarceseq.design.genes_by_cells.plan` (empty without
    a budget), and a summary: readout_genes, independent_genes, cells_for_half (cells of a reliability of one half),
    reliability_at_100, best (a row of the second table).
    """
    asked = settings["cells"]
    cells = cells_table(numbers, asked)
    summary: dict[str, Any] = {"readout_genes": len(numbers.effect), "independent_genes": numbers.independent}
    if numbers.signal > 0:
        summary["cells_for_half"] = numbers.noise / numbers.signal
        summary["reliability_at_100"] = reliability(numbers, 100)
    both = pd.DataFrame(columns=["genes", "cells", "expected_error", "best"])
    if asked["budget"] is None:
        return cells, both, summary
    if not numbers.signal > 0:
        raise InputError(
            f"config key design.cells.screen: perturbations of {asked['screen']} do not differ beyond the noise of "
            "their cells, so that genes cannot be weighed against cells"
        )
    named = [source.nodes if isinstance(source, Graph) else source.index.to_numpy() for source in sources]
    _, lists, joins = read_lists(np.unique(np.concatenate(named).astype(str)), settings)
    apply_filters(settings, lists, joins)
    problem = pose(sources, lists, settings | {"costs": None}, joins)
    features = mean_kernel_features(sources, problem.everyone)
    limits = replace(problem.limits, budget=min(len(problem.free), MOST_GENES), costs=None)
    order, _ = greedily(posterior_of(features, problem.worth)(), len(problem.cover), limits)
    both = plan(features, order, problem.worth, numbers.noise / numbers.signal, asked, sizes(len(order), asked))
    summary["best"] = {key: float(value) for key, value in both[both["best"]].iloc[0].items() if key != "best"}
    return cells, both, summary
