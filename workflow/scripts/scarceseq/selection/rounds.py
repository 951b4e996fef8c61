"""Selection in rounds: rank, measure, fit a model to what is measured, rank what is left, and so on."""

import logging
import time
from dataclasses import replace

import numpy as np
import pandas as pd

from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.seeds import derive
from scarceseq.selection.budgets import round_sizes
from scarceseq.selection.evidence import Evidence
from scarceseq.selection.rankings import for_graph, ranking_seed

log = logging.getLogger(__name__)


def select_in_rounds(screen, selectors, profiles, splits, graph, priors, settings, seed):
    """Orders in which perturbations are measured, and what they cost.

    Parameters
    ----------
    screen : str
    selectors : sequence of str
        Entries with ``ROUNDS``.
    profiles : anndata.AnnData
        Perturbations x columns, X = difference to control. Of each split's pool those that were chosen are read.
    splits : pandas.DataFrame
        split, perturbation, role.
    graph : scarceseq.network.graph.Graph or None
    priors : sequence of scarceseq.network.graph.Graph
    settings : (RankingSettings, RoundSettings, int)
        The last is the least size of the first round.
    seed : int

    Returns
    -------
    (pandas.DataFrame, pandas.DataFrame)
        selector, split, draw, round (0 is the first), rank (from 1), gene, gain; and selector, split, draw, seconds
        (fits of the model included). As many genes as the rounds measure, which may be less than the pool.
    """
    ranking, rounds, min_budget = settings
    surrogate = registry.load("selection.surrogates", rounds.model)
    genes, delta = profiles.obs_names.to_numpy(dtype=str), np.asarray(profiles.X, dtype=np.float64)
    features = surrogate.prepare(genes, graph)
    tables, costs = [], []
    for split, rows in splits.groupby("split", sort=True):
        pool = np.sort(rows.loc[rows["role"] == "pool", "perturbation"].to_numpy(dtype=str))
        tests = tuple(rows.loc[rows["role"] == "test", "perturbation"])
        places = pd.Index(genes).get_indexer(pool)
        if (places < 0).any():
            raise InputError(f"select_in_rounds: gene {pool[int(np.argmin(places))]} of a split is not in the screen")
        model = Model(surrogate, features, genes, places, delta[places], pool)
        evidence = Evidence(ranking, graph, tests, tuple(priors))
        sizes = round_sizes(len(pool), rounds, min_budget)
        for name in for_graph(selectors, graph):
            for draw in range(rounds.draws):
                about = {"selector": name, "split": split, "draw": draw}
                seeds = [derive(seed, "rounds", screen, name, split, draw, number) for number in range(len(sizes))]
                start = ranking_seed(seed, screen, start_of(name), split, draw)
                began = time.perf_counter()
                table = run_rounds(name, pool, evidence, model, sizes, [start, *seeds[1:]])
                costs.append(about | {"seconds": time.perf_counter() - began})
                tables.append(table.assign(**about))
    if not tables:
        raise InputError(f"select_in_rounds: none of {', '.join(selectors)} runs on the graph given")
    log.info("%d orders of up to %d genes by %s", len(tables), max(map(len, tables)), ", ".join(selectors))
    columns = ["selector", "split", "draw", "round", "rank", "gene", "gain"]
    return pd.concat(tables, ignore_index=True)[columns], pd.DataFrame(costs)


def start_of(selector):
    """Selector of the first round."""
    return registry.declared("selection.selectors", selector, "START")


class Model:
    """A surrogate that is fitted to what is measured, and to nothing else.

    Parameters
    ----------
    surrogate : module
        Entry of `scarceseq.selection.surrogates`.
    features
        From its ``prepare``.
    genes : numpy.ndarray of str
        All perturbations of the screen.
    places : numpy.ndarray of int
        Of the pool, among them.
    delta : numpy.ndarray, shape (pool, columns)
    pool : numpy.ndarray of str
    """

    def __init__(self, surrogate, features, genes, places, delta, pool):
        self.surrogate, self.features, self.genes = surrogate, features, genes
        self.places, self.delta = places, delta
        self.row = {gene: row for row, gene in enumerate(pool)}

    def learn(self, measured, seed):
        """What is learned from some measured genes."""
        rows = np.sort([self.row[gene] for gene in measured])
        return self.surrogate.learn(self.features, self.genes, self.places, rows, self.delta[rows], seed)


def run_rounds(selector, pool, evidence, model, sizes, seeds):
    """One order: the first round by the selector's start, each further one on a model fitted anew.

    Parameters
    ----------
    selector : str
    pool : numpy.ndarray of str
    evidence : scarceseq.selection.evidence.Evidence
    model : Model
    sizes : list of int
        Numbers measured after each round.
    seeds : list of int
        One per round.

    Returns
    -------
    pandas.DataFrame
        round, rank, gene, gain.
    """
    first = registry.load("selection.selectors", start_of(selector))
    entry = registry.load("selection.selectors", selector)
    chosen, gains = first.rank(pool, evidence, budget=sizes[0], seed=seeds[0])
    chosen, gains, numbers = list(chosen), list(gains), [0] * len(chosen)
    for number, (size, seed) in enumerate(zip(sizes[1:], seeds[1:], strict=True), 1):
        known = replace(evidence, learned=model.learn(chosen, derive(seed, "model")))
        left = [gene for gene in pool if gene not in set(chosen)]
        genes, gain = entry.rank(left, known, budget=size - len(chosen), labelled=tuple(chosen), seed=seed)
        chosen, gains, numbers = [*chosen, *genes], [*gains, *gain], [*numbers, *[number] * len(genes)]
    rank = range(1, len(chosen) + 1)
    return pd.DataFrame({"round": numbers, "rank": rank, "gene": np.array(chosen, dtype=str), "gain": gains})
