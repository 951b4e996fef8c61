"""What selectors may look at."""

from dataclasses import dataclass
from typing import Any

from scarceseq.selection.learned import Learned
from scarceseq.selection.settings import RankingSettings


@dataclass(frozen=True)
class Evidence:
    """What is known when perturbations are chosen: before anything of the pool is measured, or between two rounds.

    Attributes
    ----------
    graph : scarceseq.network.graph.Graph, optional
        The selection graph; None for selectors that need none.
    tests : sequence of str
        Names of the genes whose perturbations will be predicted, for selectors with ``NAMES_USED``; never profiles.
    priors : sequence of scarceseq.network.graph.Graph
        All graphs that may serve as prior knowledge, for selectors that fuse them.
    settings : scarceseq.selection.settings.RankingSettings
    learned : scarceseq.selection.learned.Learned, optional
        What was learned from the rounds before; None in the first one.
    """

    settings: RankingSettings
    graph: Any = None
    tests: tuple = ()
    priors: tuple = ()
    learned: Learned | None = None
