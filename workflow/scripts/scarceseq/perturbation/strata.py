"""Which perturbations a predictor is good at: squared error by strata of the perturbations.

Strata are fixed by the screen and its graphs, alike for all predictors. Difficulty and strength are read from the
measurement, so that nobody knows them beforehand; nearness in a graph is known.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scarceseq.network.graph import Graph
from scarceseq.perturbation.evaluate import ABOUT, members
from scarceseq.screen.agreement import mean_squared_error, targeted_gene_mask
from scarceseq.screen.combinations import is_double, strata_of
from scarceseq.statistics.intervals import corrected_interval

if TYPE_CHECKING:
    import anndata

STRATA = ["screen", "split", "perturbation", "by", "graph", "stratum", "floor"]
COLUMNS = [*ABOUT, "by", "graph", "stratum", "perturbations", "relative", "relative_low", "relative_high", "wins"]
COLUMNS += ["splits", "interval"]
SOLVED, RESISTANT = 0.5, 1.0
"""Error of the mean of all other perturbations over that of no change: solved up to the one, resistant from the
other."""
NO_GRAPH = "none"


def stratify(name: str, profiles: "anndata.AnnData", splits: pd.DataFrame, graphs: Mapping[str, Graph]) -> pd.DataFrame:
    """Stratum of each test perturbation of each split of a screen, in each way of dividing them.

    Profiles, perturbations x genes, X = delta, and splits are as `prepare_screen` gives them.

    Returns
    -------
    pandas.DataFrame
        `STRATA`. ``by`` is ``difficulty`` (baseline-solved, intermediate, resistant), ``strength`` (weak, strong),
        ``graph`` (near, far in ``graph``) or, with doubles, ``seen`` (how many of a double's genes the pool has);
        ``floor`` is the squared error of the pool's mean.
    """
    delta, names = np.asarray(profiles.X, dtype=float), profiles.obs_names.to_numpy(dtype=str)
    mask = np.ones(delta.shape, dtype=bool)
    if profiles.uns["kind"] != "coordinates":
        mask = targeted_gene_mask(names, profiles.var_names)
    noise = profiles.obs["half_squared_error"].to_numpy(float) / 4 if "half_squared_error" in profiles.obs else 0.0
    fixed = {"difficulty": difficulty(delta, mask), "strength": strength(delta, mask, noise)}
    tables, sides = [], []
    for split, table in splits.groupby("split", sort=True):
        pool, test = (members(table, role, names) for role in ("pool", "test"))
        floor = mean_squared_error(delta[test], delta[pool].mean(axis=0), mask[test])
        about = {"split": split, "perturbation": names[test], "floor": floor}
        tables += [pd.DataFrame(about | {"by": by, "stratum": stratum[test]}) for by, stratum in fixed.items()]
        if any(is_double(perturbation) for perturbation in names):
            tables.append(pd.DataFrame(about | {"by": "seen", "stratum": strata_of(names[test], names[pool])}))
        sides.append((about, pool, test))
    for graph_name, graph in graphs.items():
        links = [strongest_link(graph, names[test], names[pool]) for _, pool, test in sides]
        middle = np.median(np.concatenate(links))
        for (about, *_), link in zip(sides, links, strict=True):
            near = np.where((link >= middle) & (link > 0), "near", "far")
            tables.append(pd.DataFrame(about | {"by": "graph", "graph": graph_name, "stratum": near}))
    result = pd.concat(tables, ignore_index=True).assign(screen=name).reindex(columns=STRATA)
    return result.fillna({"graph": NO_GRAPH}).astype({"split": "int32"})


def difficulty(delta: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Whether the mean of all other perturbations predicts each: baseline-solved, intermediate or resistant.

    Both arrays are (perturbations, genes).
    """
    others = (delta.sum(axis=0) - delta) / (len(delta) - 1)
    unchanged = mean_squared_error(delta, 0.0, mask)
    left = np.divide(
        mean_squared_error(delta, others, mask), unchanged, out=np.full(len(delta), np.inf), where=unchanged > 0
    )
    return np.select([left <= SOLVED, left < RESISTANT], ["baseline-solved", "intermediate"], "resistant")


def strength(delta: np.ndarray, mask: np.ndarray, noise: np.ndarray | float) -> np.ndarray:
    """Whether each effect is weak or strong: its mean square, less that of the noise, below the screen's median or not.

    Noise is of each perturbation, or 0 where it is not known.
    """
    size = mean_squared_error(delta, 0.0, mask) - noise
    return np.where(size < np.median(size), "weak", "strong")


def strongest_link(graph: Graph, genes: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Weight of each gene's heaviest link, in either direction, to a measured gene; 0 without one."""
    weights = graph.incoming.maximum(graph.incoming.T).tocsr()
    rows, columns = graph.positions(genes), graph.positions(measured)
    link = np.zeros(len(genes))
    if (rows >= 0).any() and (columns >= 0).any():
        link[rows >= 0] = weights[rows[rows >= 0]][:, columns[columns >= 0]].max(axis=1).toarray().ravel()
    return link


def summarise_strata(errors: pd.DataFrame, strata: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Squared error of each predictor in each stratum, over that of the training mean.

    Parameters
    ----------
    errors : pandas.DataFrame
        `scarceseq.perturbation.evaluate.ERRORS`, of all predictors.
    strata : pandas.DataFrame
        From `stratify`, of all screens.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. ``perturbations``: how many were in the stratum in some split. ``relative`` as in
        `scarceseq.perturbation.summary.summarise`, over the splits that have the stratum. ``wins``: share of
        perturbations with less error than the training mean's, ties counting half. A predictor on a graph is divided
        by that graph alone.
    """
    errors = errors.astype({"split": "int32", "error": float})
    both = errors.merge(strata, on=["screen", "split", "perturbation"], validate="many_to_many")
    both = both.dropna(subset=["error", "floor"])
    on_graph = both["source"].isin(set(strata["graph"]) - {NO_GRAPH})
    both = both[~on_graph | both["graph"].isin([NO_GRAPH]) | (both["graph"] == both["source"])]
    rows = []
    for key, group in both.groupby([*ABOUT, "by", "graph", "stratum"], sort=True):
        means = group.groupby("split", sort=True)[["error", "floor"]].mean()
        floor = means["floor"].mean()
        ratio = float(group["test"].iloc[0]) / float(group["pool"].iloc[0])
        gained = corrected_interval(means["error"] - means["floor"], ratio, confidence)
        ends = 1 + np.array(gained[:3]) / floor if floor > 0 else np.full(3, np.nan)
        wins = ((group["error"] < group["floor"]) + 0.5 * (group["error"] == group["floor"])).mean()
        values = [group["perturbation"].nunique(), *ends, wins, len(means), gained[3]]
        rows.append([*key, *values])
    return pd.DataFrame(rows, columns=COLUMNS)
