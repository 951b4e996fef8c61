"""Rankings on one screen and graph: every split and draw, the whole pool, nested by nature."""

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from scarceseq.config import selector_names
from scarceseq.config.former_names import seed_key
from scarceseq.errors import InputError
from scarceseq.seeds import derive
from scarceseq.selection.evidence import Evidence, Genes
from scarceseq.selection.selector import ranker, visible

if TYPE_CHECKING:
    from scarceseq.network.graph import Graph
    from scarceseq.selection.settings import RankingSettings

log = logging.getLogger(__name__)


def for_graph(selectors: Genes, graph: "Graph | None") -> list[str]:
    """Those of some selectors that run on a graph, or those that need no single graph if there is none."""
    return [name for name in selectors if ("graph" in selector_names.declared(name, "NEEDS")) == (graph is not None)]


def rank_perturbations(
    screen: str,
    selectors: Genes,
    splits: pd.DataFrame,
    graph: "Graph | None",
    priors: "Sequence[Graph]",
    settings: "RankingSettings",
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ranked pools, and what they cost.

    `splits` has the columns split, perturbation, role. Without a graph, those selectors are ranked that need none.

    Returns columns selector, split, draw (from 0), round (0), rank (from 1), gene, gain; and selector, split, draw,
    seconds.
    """
    tables, costs = [], []
    for name in for_graph(selectors, graph):
        rank = ranker(name)
        for split, rows in splits.groupby("split", sort=True):
            pool, tests = (rows.loc[rows["role"] == role, "perturbation"].tolist() for role in ("pool", "test"))
            evidence = Evidence(settings, graph, visible(name, tests), tuple(priors))
            for draw in range(settings.random_draws if selector_names.declared(name, "DRAWS", False) else 1):
                about = {"selector": name, "split": split, "draw": draw}
                began = time.perf_counter()
                genes, gains = rank(pool, evidence, seed=ranking_seed(seed, screen, name, split, draw))
                costs.append(about | {"seconds": time.perf_counter() - began})
                columns = about | {"round": 0, "rank": range(1, len(genes) + 1), "gene": genes.astype(str)}
                tables.append(pd.DataFrame(columns | {"gain": gains}))
    if not tables:
        where = "a graph" if graph is not None else "no graph"
        raise InputError(f"none of the selectors {', '.join(selectors)} runs on {where}; check what they need")
    log.info("%d rankings of up to %d genes by %s", len(tables), max(map(len, tables)), ", ".join(selectors))
    return pd.concat(tables, ignore_index=True), pd.DataFrame(costs)


def ranking_seed(seed: int, screen: str, selector: str, split: int, draw: int) -> int:
    """Seed of one ranking in one shot; a first round by the same selector is the beginning of that ranking."""
    return derive(seed, "selection", screen, seed_key(selector), split, draw)
