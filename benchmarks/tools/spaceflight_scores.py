"""Areas under the ROC curve of left-out missions, choices made by them, and means with intervals."""

import itertools

import numpy as np
import pandas as pd
from scarceseq.fewshot.metrics import measure
from scipy import stats
from spaceflight_tables import TISSUES

PRIMARY, REFERENCE, GUIDED, CONTROLS, ALL = "average", "ridge", "guided", ("mean_rate", "permuted"), "six tissues"
# Best simple model of github.com/jang1563/GeneLab_benchmark on each kind of feature, mean over missions, March 2026.
PUBLIC_GENES = {"liver": 0.670, "gastrocnemius": 0.824, "kidney": 0.432, "thymus": 0.923, "eye": 0.789, "skin": np.nan}
PUBLIC_SETS = {"liver": 0.574, "gastrocnemius": 0.688, "kidney": 0.743, "thymus": 0.879, "eye": 0.915, "skin": 0.767}
PLACE = ["tissue", "mission", "group", "table"]
CONFIDENCE = 0.95


def areas(predictions: pd.DataFrame) -> pd.DataFrame:
    """AUROC of each table, method and seed, with its samples with a class and those in flight."""
    keys = [*PLACE, "method", "seed"]
    label = np.where(predictions["class"] == 1, "flight", "control")
    flight = predictions["flight"].to_numpy(float)
    asked = predictions.assign(label=label, p_0=1 - flight, p_1=flight)
    asked["predicted"] = np.where(flight > 0.5, "flight", "control")
    asked["probability"] = np.where(label == "flight", flight, 1 - flight)
    found = measure(asked, keys, ["control", "flight"])[[*keys, "auroc"]]
    counts = predictions.groupby(keys)["class"].agg(samples="size", flight="sum").reset_index()
    return found.merge(counts, on=keys, validate="one_to_one").sort_values([*PLACE, "method", "seed"])


def choose(inner: dict, group: str, method: str, options: list) -> tuple[float, str]:
    """The (candidate, scope) with the highest mean AUROC over tissues, of equals the first, on training groups.

    `inner` has the predictions made without each pair of groups; those of the other group of the pair count.
    """
    pairs = [table[table["group"] != group] for pair, table in inner.items() if group in pair]
    rows = pd.concat(pairs, ignore_index=True)
    rows = rows[rows["method"] == method]
    means = {}
    for option in options:
        of_option = rows[(rows["candidate"] == option[0]) & (rows["scope"] == option[1])]
        means[option] = mean_over_tissues(areas(of_option))
    return max(options, key=lambda option: means[option])


def averaged(predictions: pd.DataFrame, members: tuple, seeds: tuple) -> pd.DataFrame:
    """The predictions, and `average`: for each seed the mean of the members' ranks within the table."""
    ranked = predictions[predictions["method"].isin(members)].copy()
    keys = [*PLACE, "method", "seed"]
    ranked["flight"] = ranked.groupby(keys)["flight"].rank() / ranked.groupby(keys)["flight"].transform("size")
    parts = []
    for seed in seeds:
        one = ranked.groupby("method")["seed"].transform("nunique") == 1
        of_seed = ranked[one | (ranked["seed"] == seed)]
        mean = of_seed.groupby([*PLACE, "sample", "class"], as_index=False)["flight"].mean()
        parts.append(mean.assign(method=PRIMARY, seed=seed))
    return pd.concat([predictions, *parts], ignore_index=True)


def by_mission(scores: pd.DataFrame) -> pd.Series:
    """Mean over seeds, then over tables, of each (tissue, group, mission)."""
    tables = scores.groupby(["tissue", "group", "mission", "table"])["auroc"].mean()
    return tables.groupby(["tissue", "group", "mission"]).mean()


def mean_over_tissues(scores: pd.DataFrame) -> float:
    """Mean over missions, then over tissues."""
    return float(by_mission(scores).groupby("tissue").mean().mean())


def jackknife(missions: pd.Series) -> tuple[float, float, float]:
    """Mean over missions, then tissues, and its interval: groups are left out one at a time, t."""

    def mean(values: pd.Series) -> float:
        return float(values.groupby("tissue").mean().mean())

    of = missions.index.get_level_values("group")
    groups = sorted(set(of))
    number, whole = len(groups), mean(missions)
    pseudo = [number * whole - (number - 1) * mean(missions[of != group]) for group in groups]
    half = stats.t.ppf((1 + CONFIDENCE) / 2, number - 1) * np.std(pseudo, ddof=1) / np.sqrt(number)
    return whole, float(whole - half), float(whole + half)


def t_interval(values: pd.Series) -> tuple[float, float, float]:
    """Mean of missions with its t interval."""
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """AUROC of each method, and paired differences, by tissue and over the six, beside the public figures."""
    methods = list(dict.fromkeys([PRIMARY, *sorted(scores["method"].unique())]))
    pairs = [(method, "") for method in methods]
    pairs += [(method, REFERENCE) for method in methods if method != REFERENCE]
    pairs += [(GUIDED, control) for control in CONTROLS]
    rows = []
    for (method, against), tissue in itertools.product(pairs, [ALL, *TISSUES]):
        if not {method, against or method} <= set(methods):
            continue
        one = scores[scores["method"] == method]
        values = by_mission(one) - (by_mission(scores[scores["method"] == against]) if against else 0)
        part = values if tissue == ALL else values.xs(tissue, level="tissue")
        value, low, high = jackknife(part) if tissue == ALL else t_interval(part)
        row = dict(tissue=tissue, method=method, against=against, value=value, low=low, high=high)
        row |= dict(missions=len(part), seeds=one["seed"].nunique())
        if not against:
            row |= dict(public_genes=public(PUBLIC_GENES, tissue), public_gene_sets=public(PUBLIC_SETS, tissue))
        rows.append(row)
    return pd.DataFrame(rows)


def public(figures: dict, tissue: str) -> float:
    """The public figure of a tissue, or the mean of those there are."""
    return float(np.nanmean(list(figures.values()))) if tissue == ALL else figures[tissue]
