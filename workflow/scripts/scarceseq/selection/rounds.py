"""Selection in rounds: rank, measure, fit a model to what is measured, rank what is left, and so on."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scarceseq import registry
from scarceseq.config import selector_names
from scarceseq.config.former_names import seed_key
from scarceseq.errors import InputError
from scarceseq.perturbation.prior import Prior
from scarceseq.progress import follow
from scarceseq.seeds import derive
from scarceseq.selection.budgets import round_sizes
from scarceseq.selection.evidence import Evidence, Genes
from scarceseq.selection.pool import check_pool
from scarceseq.selection.rankings import for_graph, ranking_seed
from scarceseq.selection.selector import ranker

if TYPE_CHECKING:
    from anndata import AnnData

    from scarceseq.network.graph import Graph
    from scarceseq.selection.learned import Learned
    from scarceseq.selection.settings import RankingSettings, RoundSettings

log = logging.getLogger(__name__)


def select_in_rounds(
    screen: str,
    selectors: Genes,
    profiles: "AnnData",
    splits: pd.DataFrame,
    graph: "Graph | None",
    priors: "Sequence[Graph]",
    settings: "tuple[RankingSettings, RoundSettings, int]",
    seed: int,
    fields: dict[str, dict[str, Any]] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders in which perturbations are measured, and what they cost.

    - `selectors`: entries with ``START``, or ``entry@model`` for another model than that of the settings
    - `profiles`: X = difference to control, (perturbations, columns). Of each split's pool those chosen are read
    - `splits`: columns split, perturbation, role
    - `settings`: the last is the least size of the first round
    - `fields`: further fields of each model's `Prior`: cells, settings

    Returns columns selector, split, draw, round (0 is the first), rank (from 1), gene, gain; and selector, split, draw,
    seconds (fits of the model included). As many genes as the rounds measure, which may be less than the pool.
    """
    ranking, rounds, min_budget = settings
    genes, delta = profiles.obs_names.to_numpy(dtype=str), np.asarray(profiles.X, dtype=np.float64)
    model_of = {name: selector_names.parts(name)[1] or rounds.model for name in for_graph(selectors, graph)}
    if not model_of:
        raise InputError(f"select_in_rounds: none of {', '.join(selectors)} runs on the graph given")
    columns, models = profiles.var_names.to_numpy(dtype=str), {}
    for name in sorted(set(model_of.values())):
        prior = Prior(genes, columns, graph, **(fields or {}).get(name, {}))
        models[name] = Model(registry.load("selection.surrogates", name), prior)
    tables, costs = [], []
    for split, rows in follow(splits.groupby("split", sort=True), "splits"):
        pool = check_pool(rows.loc[rows["role"] == "pool", "perturbation"], graph).astype(str)
        places = pd.Index(genes).get_indexer(pool)
        if (places < 0).any():
            raise InputError(f"select_in_rounds: gene {pool[int(np.argmin(places))]} of a split is not in the screen")
        evidence = Evidence(ranking, graph, (), tuple(priors))
        sizes = round_sizes(len(pool), rounds, min_budget)
        for name, model in model_of.items():
            fitted = partial(models[model].learn, pool, places, delta[places])
            for draw in range(rounds.draws):
                about = {"selector": name, "split": split, "draw": draw}
                key = "rounds", screen, seed_key(name), split, draw
                seeds = [derive(seed, *key, place) for place in range(len(sizes))]
                start = ranking_seed(seed, screen, start_of(name), split, draw)
                began = time.perf_counter()
                table = run_rounds(name, pool, evidence, fitted, sizes, [start, *seeds[1:]])
                costs.append(about | {"seconds": time.perf_counter() - began})
                tables.append(table.assign(**about))
    log.info("%d orders of up to %d genes by %s", len(tables), max(map(len, tables)), ", ".join(selectors))
    columns = ["selector", "split", "draw", "round", "rank", "gene", "gain"]
    return pd.concat(tables, ignore_index=True)[columns], pd.DataFrame(costs)


def start_of(selector: str) -> str:
    """Selector of the first round."""
    return selector_names.declared(selector, "START")


class Model:
    """A surrogate (entry of `scarceseq.selection.surrogates`), fitted to what is measured and to nothing else."""

    def __init__(self, surrogate: ModuleType, prior: Prior) -> None:
        self.surrogate, self.genes = surrogate, prior.perturbations
        self.features = surrogate.prepare(prior)

    def learn(self, pool: np.ndarray, places: np.ndarray, delta: np.ndarray, measured: Genes, seed: int) -> "Learned":
        """What is learned from some measured genes of a sorted pool.

        `places` are those of the pool in the screen, `delta` (pool, columns) its differences to control.
        """
        rows = np.sort(np.searchsorted(pool, measured))
        return self.surrogate.learn(self.features, self.genes, places, rows, delta[rows], seed)


def run_rounds(
    selector: str,
    pool: np.ndarray,
    evidence: Evidence,
    learn: "Callable[[list[str], int], Learned]",
    sizes: list[int],
    seeds: list[int],
) -> pd.DataFrame:
    """One order: the first round by the selector's start, each further one on a model fitted anew.

    `sizes` are the numbers measured after each round, `seeds` one per round. Returns columns round, rank, gene, gain.
    """
    rank = ranker(selector)
    first, first_gains = ranker(start_of(selector))(pool, evidence, budget=sizes[0], seed=seeds[0])
    chosen, gains, rounds = list(first), list(first_gains), [0] * len(first)
    for turn, (size, seed) in enumerate(zip(sizes[1:], seeds[1:], strict=True), 1):
        so_far = replace(evidence, learned=learn(chosen, derive(seed, "model")))
        left = [gene for gene in pool if gene not in set(chosen)]
        genes, gain = rank(left, so_far, budget=size - len(chosen), labelled=tuple(chosen), seed=seed)
        chosen, gains, rounds = [*chosen, *genes], [*gains, *gain], [*rounds, *[turn] * len(genes)]
    places = range(1, len(chosen) + 1)
    return pd.DataFrame({"round": rounds, "rank": places, "gene": np.array(chosen, dtype=str), "gain": gains})
