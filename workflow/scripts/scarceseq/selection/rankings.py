"""Rankings of one selector on one screen and graph: every split and draw, the whole pool, nested by nature."""

import logging

import pandas as pd

from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.seeds import derive
from scarceseq.selection.evidence import Evidence

log = logging.getLogger(__name__)


def rank_perturbations(screen, selector_name, splits, graphs, settings, seed):
    """Ranked pools.

    Parameters
    ----------
    screen, selector_name : str
    splits : pandas.DataFrame
        split, perturbation, role.
    graphs : sequence of scarceseq.network.graph.Graph
        The selection graph, all prior graphs, or none, as the selector needs.
    settings : scarceseq.selection.settings.RankingSettings
    seed : int

    Returns
    -------
    pandas.DataFrame
        split, draw (from 0), rank (from 1), gene, gain.
    """
    selector = registry.load("selection.selectors", selector_name)
    if bool(graphs) != bool(selector.NEEDS):
        needs = "needs a graph" if selector.NEEDS else "takes no graph"
        raise InputError(f"selector {selector_name} {needs}; its graph's name is 'none' exactly if it takes none")
    tables = []
    for split, rows in splits.groupby("split", sort=True):
        pool, tests = (rows.loc[rows["role"] == role, "perturbation"].tolist() for role in ("pool", "test"))
        evidence = Evidence(settings, graphs[0] if graphs else None, tuple(tests), tuple(graphs))
        for draw in range(settings.random_draws if selector.DRAWS else 1):
            key = derive(seed, "selection", screen, selector_name, split, draw)
            genes, gains = selector.rank(pool, evidence, seed=key)
            columns = {"split": split, "draw": draw, "rank": range(1, len(genes) + 1), "gene": genes.astype(str)}
            tables.append(pd.DataFrame(columns | {"gain": gains}))
    log.info("selector %s: %d rankings of up to %d genes", selector_name, len(tables), max(map(len, tables)))
    return pd.concat(tables, ignore_index=True)
