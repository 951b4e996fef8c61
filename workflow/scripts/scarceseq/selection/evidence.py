"""What selectors may look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scarceseq.selection.learned import Learned
from scarceseq.selection.settings import RankingSettings

Genes = Sequence[str]
Ranking = tuple[np.ndarray, np.ndarray]
"""Genes in order, and the gain of each; see `scarceseq.selection.selector.Selector.rank`."""


@dataclass(frozen=True)
class Evidence:
    """What is known when perturbations are chosen: before anything of the pool is measured, or between two rounds.

    `graph` is the selection graph, None for selectors that need none; `priors` are all graphs that may serve as prior
    knowledge. `tests` names the genes whose perturbations will be predicted, for selectors with ``NAMES_USED``; it
    never holds profiles. `learned` is what was learned from the rounds before, None in the first one.
    """

    settings: RankingSettings
    graph: Any = None
    tests: tuple = ()
    priors: tuple = ()
    learned: Learned | None = None
