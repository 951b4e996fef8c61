"""Rankings of one selector on one screen and graph: every split and draw, the whole pool, nested by nature."""

import logging

import pandas as pd

from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.seeds import derive
from scarceseq.selection.evidence import Evidence

log = logging.getLogger(__name__)


def rank_perturbations(screen, selector_name, splits, graph, settings, seed):
    """Ranked pools.

    Parameters
    ----------
    screen, selector_name : str
    splits : pandas.DataFrame
        split, perturbation, role.
    graph : scarceseq.network.graph.Graph or None
        None for selectors that need none.
    settings : scarceseq.selection.settings.RankingSettings
    seed : int

    Returns
    -------
    pandas.DataFrame
        split, draw (from 0), rank (from 1), gene, gain.
    """
    selector = registry.load("selection.selectors", selector_name)
    if (graph is not None) != selector.NEEDS_GRAPH:
        needs = "needs a graph" if selector.NEEDS_GRAPH else "takes no graph"
        raise InputError(f"selector {selector_name} {needs}; its graph's name is 'none' exactly if it takes none")
    tables = []
    for split, rows in splits.groupby("split", sort=True):
        pool, tests = (rows.loc[rows["role"] == role, "perturbation"].tolist() for role in ("pool", "test"))
        evidence = Evidence(settings, graph, tuple(tests))
        for draw in range(settings.random_draws if selector.DRAWS else 1):
            key = derive(seed, "selection", screen, selector_name, split, draw)
            genes, gains = selector.rank(pool, evidence, seed=key)
            columns = {"split": split, "draw": draw, "rank": range(1, len(genes) + 1), "gene": genes.astype(str)}
            tables.append(pd.DataFrame(columns | {"gain": gains}))
    log.info("selector %s: %d rankings of up to %d genes", selector_name, len(tables), max(map(len, tables)))
    return pd.concat(tables, ignore_index=True)
