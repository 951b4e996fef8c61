"""Scores of episodes, their summary, and paired differences between methods."""

from collections.abc import Collection
from typing import Any

import pandas as pd

from scarceseq.fewshot.corpus import TOGETHER
from scarceseq.fewshot.metrics import METRICS, measure
from scarceseq.statistics.jackknife import StudyJackknife
from scarceseq.statistics.p_values import critical_difference, friedman, holm

CELL = ["base", "task", "way", "shot"]
EPISODE = ["episode", "support_study", "study"]
SCORE_COLUMNS = [
    *["base", "method", "task", "study", "support_study", "way", "shot", "episode", "seed", "metric", "value"],
    *["diverged", "queries"],
]
SUMMARY_COLUMNS = [
    *["base", "method", "task", "way", "shot", "metric", "mean", "low", "high", "studies", "episodes", "seeds"],
    *["interval", "status", "reason"],
]
CONTRAST_COLUMNS = [
    *["base", "task", "way", "shot", "metric", "method", "against", "difference", "low", "high", "p", "p_holm"],
    *["studies", "episodes", "seeds", "interval", "kind", "reason"],
]
RANK_COLUMNS = [
    *["base", "task", "way", "shot", "method", "mean_rank", "mean", "studies", "methods", "critical_difference"],
    "friedman_p",
]
# Fixed before any sweep, see docs/protocol.md: each guide against its own controls and the frozen embedding.
PRIMARY = {
    f"guided@{guide}": [f"mean_rate@{guide}", f"tensor_mean_rate@{guide}", "linear_probe", "logistic@embedding"]
    for guide in ("per_tensor", "global")
}
CONTROLS = ("permuted", "permuted_within_gene", "rank_one", "top_share", "inverse")
SECONDARY = {f"guided@{guide}": [f"{control}@{guide}" for control in CONTROLS] for guide in ("per_tensor", "global")}
SECONDARY["guided@per_tensor"] += [
    *("guided@fisher", "gene_variance_guide", "guided@shuffled_scouts"),
    *("guided@meta_sgd", "guided@aruba", "full_fine_tuning@reptile", "simpleshot@protonet"),
]
SECONDARY |= {f"{method}@per_tensor": ["adamw_fine_tuning"] for method in ("guided_adamw", "paper_literal")}
REFERENCE = "full_fine_tuning"
# Means of the same values over one seed and over five differ in their last digits.
TIES_DECIMALS = 9


def score_episodes(predictions: list[tuple[dict[str, Any], pd.DataFrame]]) -> pd.DataFrame:
    """Scores of the test episodes, from tables of predictions, each with the keys base and task.

    Columns base, method, task, study (of the query), support_study, way, shot, episode, seed, metric, value, diverged
    (whether the fit was, which gives chance), queries (query samples per class).
    """
    tables = [pd.DataFrame(columns=SCORE_COLUMNS)]
    keys = ["method", "way", "shot", "episode", "support_study", "query_study", "seed", "diverged"]
    for key, table in predictions:
        test = table[table["role"] == "test"]
        if len(test):
            scores = measure(test, keys).rename(columns={"query_study": "study"})
            places = [column for column in scores if column not in METRICS]
            scores = scores.melt(places, list(METRICS), var_name="metric", value_name="value")
            tables.append(scores.assign(**key)[SCORE_COLUMNS])
    return pd.concat(tables[1:] or tables, ignore_index=True)


def summarise(
    scores: pd.DataFrame, plans: list[dict[str, Any]], methods: list[tuple[str, str, str]], confidence: float
) -> pd.DataFrame:
    """Mean and interval of each method in each cell; a cell that was not run is listed with its reason.

    `scores` are from `score_episodes`, `plans` what `scarceseq.fewshot.episodes.plan_cell` says about each cell,
    `methods` all (base, method, task) that were asked for.
    """
    rows = []
    for key, of_cell in scores.groupby([*CELL, "metric"]):
        wide, jackknife = _wide(of_cell, confidence)
        diverged = of_cell.groupby("method")["diverged"].agg(["sum", "size"])
        for method in wide.columns.unique("method"):
            values = wide[method]
            estimate = jackknife.interval(values)
            rows.append(
                dict(zip([*CELL, "metric"], key, strict=True))
                | _described(estimate, "mean")
                | dict(method=method, episodes=len(values), seeds=values.shape[1], status="run")
                | dict(reason=_remark(estimate, *diverged.loc[method]))
            )
    for plan in plans:
        if plan["planned"] == 0:
            rows += [
                dict(base=base, method=method, task=task, way=plan["way"], shot=plan["shot"], metric=metric)
                | dict(studies=0, episodes=0, seeds=0, interval="NA", status="not run", reason=plan["reason"])
                for base, method, task in sorted(set(methods))
                if task == plan["task"]
                for metric in METRICS
            ]
    table = pd.DataFrame(rows, columns=SUMMARY_COLUMNS)
    return table.sort_values(["base", "task", "way", "shot", "metric", "method"], ignore_index=True)


def contrast(scores: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Paired differences, method minus the other, over the same episodes and seeds.

    Primary are those of `PRIMARY`; every other method is compared with full fine-tuning, and each guide with its
    other controls, as secondary contrasts. A method that sees no network has one value for all seeds. P values, where
    there are studies enough, are adjusted for all primary contrasts of the run in the same metric, and for all
    secondary ones (Holm 1979).
    """
    rows = []
    for key, of_cell in scores.groupby([*CELL, "metric"]):
        wide, jackknife = _wide(of_cell, confidence)
        for method, against, kind in pairs(wide.columns.unique("method")):
            first, other = wide[method], wide[against]
            shared = first.columns.intersection(other.columns)
            if first.shape[1] > 1 and other.shape[1] > 1:
                difference = first[shared] - other[shared]
            else:  # a single column goes with every seed of the other
                difference = first.to_numpy() - other.to_numpy()
            estimate = jackknife.interval(difference)
            rows.append(
                dict(zip([*CELL, "metric"], key, strict=True))
                | _described(estimate, "difference")
                | dict(method=method, against=against, kind=kind, episodes=len(wide), seeds=difference.shape[1])
                | dict(p=estimate.p, reason=estimate.reason)
            )
    table = pd.DataFrame(rows, columns=CONTRAST_COLUMNS)
    if len(table):
        table["p_holm"] = table.groupby(["metric", "kind"])["p"].transform(holm)
    return table


def rank(scores: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Mean rank of each method over the query studies of each cell, by balanced accuracy; 1 is best.

    Friedman's test asks whether all methods are alike; mean ranks that differ by less than the critical difference
    (Nemenyi's, after Demsar 2006) cannot be told apart. Cells with fewer than 3 studies or methods are left out.
    """
    rows = []
    for key, of_cell in scores[scores["metric"] == "balanced_accuracy"].groupby(CELL):
        wide = of_cell.pivot_table(index="study", columns="method", values="value", aggfunc="mean")
        studies, methods = wide.shape
        if min(studies, methods) < 3:
            continue
        ranks = wide.round(TIES_DECIMALS).rank(axis=1, ascending=False)
        rows += [
            dict(zip(CELL, key, strict=True))
            | dict(method=method, mean_rank=ranks[method].mean(), mean=wide[method].mean())
            | dict(studies=studies, methods=methods, friedman_p=friedman(ranks))
            | dict(critical_difference=critical_difference(methods, studies, confidence))
            for method in ranks.mean().sort_values(kind="stable").index
        ]
    return pd.DataFrame(rows, columns=RANK_COLUMNS)


def mean_curves(curves: list[tuple[dict[str, Any], pd.DataFrame]]) -> pd.DataFrame:
    """Mean of each curve (with its base and task) of `scarceseq.fewshot.cell.fit_cell` over its episodes and seeds."""
    table = pd.concat([curve.assign(**key) for key, curve in curves], ignore_index=True)
    keys = [*CELL, "method", "steps"]
    means = table.groupby(keys)[["balanced_accuracy", "log_loss"]].mean()
    return means.assign(episodes=table.groupby(keys)["episode"].nunique()).reset_index()


def _wide(of_cell: pd.DataFrame, confidence: float) -> tuple[pd.DataFrame, StudyJackknife]:
    """Values of a cell, (episodes, methods x seeds), and the jackknife over the studies of its episodes."""
    wide = of_cell.pivot(index=EPISODE, columns=["method", "seed"], values="value")
    support, query = (wide.index.get_level_values(level) for level in ("support_study", "study"))
    wide.columns = wide.columns.remove_unused_levels()
    asked_to_learned = (of_cell["queries"] / of_cell["shot"]).mean()
    mixed = any(TOGETHER in name for name in support.unique())
    return wide, StudyJackknife(support, query, confidence, asked_to_learned, mixed)


def _remark(estimate: Any, lost: int, fits: int) -> str:
    """Why there is no interval, and how many fits to test episodes diverged."""
    return "; ".join(text for text in (estimate.reason, f"{lost} of {fits} test fits diverged" if lost else "") if text)


def pairs(methods: Collection[str]) -> list[tuple[str, str, str]]:
    """(method, against, kind) of every contrast among the methods that are there, primary ones first."""
    methods = list(methods)
    listed = [(method, other, "primary") for method, others in PRIMARY.items() for other in others]
    listed += [(method, other, "secondary") for method, others in SECONDARY.items() for other in others]
    listed += [(method, REFERENCE, "secondary") for method in sorted(methods) if method != REFERENCE]
    return [pair for pair in listed if pair[0] in methods and pair[1] in methods]


def _described(estimate: Any, name: str) -> dict[str, Any]:
    return {
        name: estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "studies": estimate.studies,
        "interval": estimate.kind,
    }
