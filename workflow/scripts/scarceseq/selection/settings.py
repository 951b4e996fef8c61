"""Settings of selection, one class per step."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from scarceseq.keys import LONGEST_NAME, Confidence, Count, Distinct, Fraction, Limits, Positive, Several, listed

JobName = Annotated[str, Limits(pattern="^[A-Za-z0-9_.@-]+$", max_length=LONGEST_NAME)]


@dataclass(frozen=True)
class RankingSettings:
    """What rankings depend on."""

    random_draws: Count = 20
    """Random rankings of each split's pool, for selectors that draw at random."""
    hops: Annotated[Count, Limits(le=4)] = 1
    """Selectors `reach` and its variants: steps against the edges that a choice reaches."""


@dataclass(frozen=True)
class BudgetSettings:
    """Sizes of a selection, and seeds of each model trained on it."""

    budgets: Several[Annotated[float, Limits(gt=0, le=100)]] = listed(5, 10, 20, 30, 50, 100)
    """Sizes of the selection in percent of the pool, but at least `min_budget`; equal ones count once."""
    min_budget: Annotated[int, Limits(ge=2)] = 10
    """Smallest number of perturbations in a selection."""
    budget_counts: Distinct[Annotated[int, Limits(ge=2)]] = listed()
    """Further sizes of the selection, in perturbations; those below `min_budget` or above the pool are left out."""
    model_seeds: Count = 3
    """Number of seeds with which a predictor that draws random numbers is trained on each selection."""


@dataclass(frozen=True)
class JudgementSettings:
    """How differences are judged."""

    worthwhile_share: Fraction = 0.05
    """Smallest difference to random that matters, as a share of what random leaves to be gained: up to the ceiling, or
    to a perfect score where no ceiling is known. An interval around zero that reaches further is called
    undecided."""
    confidence: Confidence = 0.95
    """Confidence level of the intervals."""


@dataclass(frozen=True)
class RoundSettings:
    """Choosing in rounds: between two rounds a model is fitted to what was measured until then."""

    first: Positive = 10
    """Size of the first round, which a selector in one shot chooses; for most it is random."""
    batch: Positive = 10
    """Size of each further round."""
    rounds: Count = 4
    """Number of further rounds."""
    unit: Literal["percent", "perturbations"] = "percent"
    """Unit of `first` and `batch`: percent of the pool, or perturbations."""
    draws: Count = 3
    """Runs per split, each from another random first round, which all selectors share."""
    model: str = "graph_process"
    """Model between rounds, by the name of its file in `selection/surrogates`: `graph_process`, or `gears`, which
    trains on single cells with the settings `predictors.gears`. A selector may name another one."""


@dataclass(frozen=True)
class StabilitySettings:
    """How much of a choice stays under small changes; on the first split of each screen, and each of its graphs."""

    selectors: Distinct[str] = listed("reach", "reach@usage", "k_center", "typiclust")
    """Selectors in one shot that work on a graph."""
    repeats: Annotated[int, Limits(ge=2)] = 3
    """Random changes of each kind; all pairs of them are compared."""
    pool_share: Fraction = 0.1
    """Share of the pool that is removed."""
    edge_shares: list[Fraction] = listed(0.1, 0.3, 0.5)
    """Shares of the graph's edges that are removed, or rewired."""


@dataclass(frozen=True, kw_only=True)
class ScreenGraphs:
    """Graphs of one screen."""

    selection_graphs: Several[str]
    """Graphs of `network.graphs` that selectors work on."""
    prior_graphs: Several[str] | None = None
    """Graphs of prior knowledge, for selectors that combine graphs; null for all selection graphs. Leave out controls
    such as rewired graphs."""
    prediction_graph: str
    """Graph of `network.graphs` that predictors use, whatever the selection graph."""


@dataclass(frozen=True, kw_only=True)
class SelectionSection(RankingSettings, BudgetSettings, JudgementSettings):
    """Choosing perturbations in one shot or in rounds, and how well models trained on the choice predict held-out
    ones."""

    rounds: RoundSettings = field(default_factory=RoundSettings)
    stability: StabilitySettings = field(default_factory=StabilitySettings)
    days_per_cycle: Positive | None = None
    """Days that one cycle of the laboratory takes, from choosing perturbations to their profiles; the report then says
    how long each way of choosing takes."""
    screens: Annotated[dict[str, ScreenGraphs], Limits(min_length=1)]
    """Screens to judge selectors on, by their names in `screens`."""
    selectors: Several[str] | Annotated[dict[JobName, Several[str]], Limits(min_length=1)]
    """Selectors, by the names of their files in `selection/selectors`; all others are judged against `random`.
    `reach` has variants, as in `reach@usage`. One in
    rounds may name its model, as in `bald@gears`; otherwise it has that of `rounds.model`. A list gives each its own
    jobs; in named lists, the selectors of a list share jobs (all in rounds, or none)."""
    predictors: Several[str]
    """Predictors, by the names of their files in `perturbation/predictors`."""
