"""Genetic interactions: how far a double differs from the sum of its genes' effects (Norman et al. 2019, Science 365).

A double's difference to control is fitted over genes by c1 times that of the first gene alone and c2 times that of the
second, by Theil-Sen regression without an intercept. Scores and what they tell are those that GEARS reports (Roohani et
al. 2024). A predicted double is set beside the same model's predictions of its genes alone; beside their measured
effects where predictions that were handed in lack genes of the pool. The perturbed genes themselves are left out: what
a guide does to its own target would lead the fit. So are genes that hardly any control cell has, as in both papers:
most pairs of them have no weights to tell, and the median of all pairs would be zero.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scarceseq.perturbation.evaluate import ABOUT
from scarceseq.screen.agreement import targeted_gene_mask
from scarceseq.screen.combinations import genes_of, is_double, strata_of
from scarceseq.seeds import derive

if TYPE_CHECKING:
    import anndata

SCORES = ("magnitude", "model_fit", "similarity", "equality", "dominance", "c1", "c2")
"""Length of (c1, c2); correlation of fit and double; distance correlation of both singles with the double; of the
distance correlations of each single with the double the smaller over the larger; size of log10 (c1 / c2)."""
CLASSES = {
    ("magnitude", "high"): "synergy",
    ("magnitude", "low"): "suppression",
    ("model_fit", "low"): "neomorphism",
    ("similarity", "high"): "redundancy",
    ("equality", "low"): "epistasis",
}
"""What the most extreme doubles by a score are called."""
EXTREME_SHARE = 0.1
LEAST_DOUBLES = 5
"""Fewer have no extremes."""
LEAST_EXPRESSION = 0.25
"""Mean log(1 + counts per 10,000) of control cells, some 0.3 counts, from which a gene is looked at."""
LEAST_GENES = 10
"""Fewer such genes give no scores."""
SAME = 1e-9
"""Scores that differ by less differ by rounding, and have no extremes."""
COLUMNS = [*ABOUT, "split", "perturbation", "stratum", "score", "true", "predicted", "true_class", "predicted_class"]
PREDICTED = ["split", "perturbation", "stratum", *SCORES]


def interaction(first: np.ndarray, second: np.ndarray, double: np.ndarray, seed: int) -> dict[str, float]:
    """`SCORES` of one double; NaN where a profile does not vary or is missing, or genes are few.

    Profiles, (genes,), are differences to control of the genes alone and of both; the seed is of the pairs of genes
    that Theil-Sen regression draws.
    """
    # numba, which a report need not wait for
    from scarceseq.perturbation.interaction_measures import distance_correlation, gene_pairs, theil_sen

    both = np.stack([first, second], axis=1)
    if len(double) < LEAST_GENES or not np.min([np.ptp(profile) for profile in (first, second, double)]) > 0:
        return dict.fromkeys(SCORES, float("nan"))
    c1, c2 = theil_sen(both, double, gene_pairs(len(double), seed))
    fitted = both @ [c1, c2]
    each = [distance_correlation(profile, double) for profile in (first, second)]
    ratio = abs(c1 / c2) if c2 != 0 else float("inf")
    return {
        "magnitude": float(np.hypot(c1, c2)),
        "model_fit": float(np.corrcoef(fitted, double)[0, 1]) if np.ptp(fitted) > 0 else float("nan"),
        "similarity": distance_correlation(both, double),
        "equality": min(each) / max(each) if max(each) > 0 else float("nan"),
        "dominance": float(abs(np.log10(ratio))) if 0 < ratio < np.inf else float("nan"),
        "c1": float(c1),
        "c2": float(c2),
    }


def judged_doubles(names: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Test doubles of which both genes were measured alone, positions among the perturbations."""
    measured = set(names)
    return np.array([row for row in test if is_double(names[row]) and measured.issuperset(genes_of(names[row]))], int)


def expressed_genes(profiles: "anndata.AnnData") -> np.ndarray:
    """Mask of the genes that control cells have; of mean profiles, those that differ in any perturbation."""
    if "control_mean" in profiles.var:
        return profiles.var["control_mean"].to_numpy(dtype=float) >= LEAST_EXPRESSION
    return (np.asarray(profiles.X) != 0).any(axis=0)


def scores_of(
    profiles: "anndata.AnnData", doubles: np.ndarray, profile: Callable[[np.ndarray], np.ndarray], seed: int
) -> pd.DataFrame:
    """Scores of some doubles (positions, see `judged_doubles`), a row each, indexed by name.

    The function `profile` gives measured or predicted differences to control, (positions, genes).
    """
    names = profiles.obs_names.to_numpy(dtype=str)
    place, mask = {name: row for row, name in enumerate(names)}, targeted_gene_mask(names[doubles], profiles.var_names)
    mask = mask & expressed_genes(profiles)
    rows = []
    for double, counts in zip(doubles, mask, strict=True):
        three = np.array([*(place[gene] for gene in genes_of(names[double])), double])
        first, second, both = np.asarray(profile(three), dtype=float)[:, counts]
        rows.append(interaction(first, second, both, derive(seed, "interaction", names[double])))
    return pd.DataFrame(rows, index=names[doubles], columns=list(SCORES))


class PredictedInteractions:
    """Scores of each split's test doubles as a model predicts them: a watch of `scarceseq.perturbation.evaluate`."""

    def __init__(self, profiles: "anndata.AnnData", seed: int) -> None:
        self._profiles, self._seed = profiles, seed
        self._tables = [pd.DataFrame(columns=PREDICTED)]

    def __call__(
        self, split: int, pool: np.ndarray, test: np.ndarray, profile: Callable[[np.ndarray], np.ndarray]
    ) -> None:
        """Score the doubles of one split."""
        names = self._profiles.obs_names.to_numpy(dtype=str)
        doubles = judged_doubles(names, test)
        if len(doubles):
            scores = scores_of(self._profiles, doubles, profile, self._seed).rename_axis("perturbation").reset_index()
            scores = scores.assign(split=split, stratum=strata_of(names[doubles], names[pool]))
            self._tables.append(scores.reindex(columns=PREDICTED))

    def table(self) -> pd.DataFrame:
        """`PREDICTED` of all splits; without rows where there are no doubles."""
        return pd.concat(self._tables[1:] or self._tables, ignore_index=True)


def true_beside_predicted(screen: str, profiles: "anndata.AnnData", predicted: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Scores of every predicted double beside those of the measured one.

    Profiles hold its measured differences to control; `predicted` has predictor, source and `PREDICTED`, of all
    predictors of the screen.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, a row per predictor, source, split, double and score. A class (`CLASSES`) is given to the tenth of a
        split's doubles, at least one, that a score is most extreme for; '' to all if there are fewer than
        `LEAST_DOUBLES`.
    """
    names, delta = profiles.obs_names.to_numpy(dtype=str), np.asarray(profiles.X, dtype=float)
    doubles = np.flatnonzero(np.isin(names, predicted["perturbation"].to_numpy(dtype=str)))
    true = scores_of(profiles, doubles, lambda rows: delta[rows], seed)
    keys = ["predictor", "source", "split", "perturbation", "stratum"]
    table = predicted.melt(keys, list(SCORES), "score", "predicted").assign(screen=screen)
    long = true.rename_axis("perturbation").reset_index().melt("perturbation", list(SCORES), "score", "true")
    table = table.merge(long, on=["perturbation", "score"], validate="many_to_one")
    groups = table.groupby(["predictor", "source", "split", "score"])
    for side in ("true", "predicted"):
        table[f"{side}_class"] = ""
        for (*_, score), group in groups:
            for name, called in extremes(group[side], str(score)).items():
                table.loc[name, f"{side}_class"] = called
    order = {name: place for place, name in enumerate(SCORES)}
    table = table.sort_values([*keys[:4], "score"], key=lambda c: c.map(order) if c.name == "score" else c)
    return table.reindex(columns=COLUMNS).reset_index(drop=True)


def extremes(values: pd.Series, score: str) -> dict[object, str]:
    """Class of the doubles, by their index, that are the most extreme by a score; empty for few doubles."""
    values, classes = values.dropna(), {}
    count = max(1, int(EXTREME_SHARE * len(values)))
    if len(values) < LEAST_DOUBLES or np.ptp(values) < SAME:
        return {}
    for (name, end), called in CLASSES.items():
        if name == score:
            ranked = values.sort_values(ascending=end == "low", kind="stable")
            classes |= dict.fromkeys(ranked.index[:count], called)
    return classes
