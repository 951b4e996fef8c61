"""Scores of episodes, their summary, and paired differences between methods."""

import pandas as pd

from scarceseq.fewshot.intervals import interval
from scarceseq.fewshot.metrics import balanced_accuracy, log_loss
from scarceseq.seeds import derive

CELL = ["base", "task", "way", "shot"]
METRICS = ("balanced_accuracy", "log_loss")
SCORE_COLUMNS = [
    *["base", "method", "task", "study", "support_study", "way", "shot", "episode", "seed", "metric", "value"],
    "diverged",
]
SUMMARY_COLUMNS = [
    *["base", "method", "task", "way", "shot", "metric", "mean", "low", "high", "studies", "episodes", "interval"],
    *["status", "reason"],
]
CONTRAST_COLUMNS = [
    *["base", "task", "way", "shot", "metric", "method", "against", "difference", "low", "high", "studies", "episodes"],
    *["interval", "kind", "reason"],
]
# Fixed before any sweep, see docs/protocol.md: each guide against its own controls and the frozen embedding.
PRIMARY = {
    "guided_per_tensor": ["scalar_mean_rate", "tensor_mean_rate", "linear_probe", "embedding_logistic"],
    "guided_global": ["scalar_mean_rate_global", "tensor_mean_rate_global", "linear_probe", "embedding_logistic"],
}
SECONDARY = {
    "guided_per_tensor": [
        *("permuted_guide", "permuted_within_gene", "rank_one_guide", "top_share_guide", "inverse_guide"),
        *("fisher_guide", "gene_variance_guide", "shuffled_scouts_guide"),
    ],
    "guided_global": ["permuted_guide_global"],
    "guided_adamw": ["adamw_fine_tuning"],
    "paper_literal": ["adamw_fine_tuning"],
}
REFERENCE = "full_fine_tuning"


def score_episodes(predictions):
    """Scores of the test episodes.

    Parameters
    ----------
    predictions : list of (dict, DataFrame)
        Keys base, method, task of each table of predictions; and the table.

    Returns
    -------
    DataFrame
        Columns base, method, task, study (of the query), support_study, way, shot, episode, seed, metric, value,
        diverged (whether the fit was, which gives chance).
    """
    rows = []
    for key, table in predictions:
        test = table[table["role"] == "test"]
        keys = ["way", "shot", "episode", "support_study", "query_study", "seed"]
        for (way, shot, episode, support, query, seed), part in test.groupby(keys):
            values = balanced_accuracy(part["label"], part["predicted"]), log_loss(part["probability"])
            place = dict(way=way, shot=shot, study=query, support_study=support, episode=episode, seed=seed)
            rows += [
                key | place | dict(metric=metric, value=value, diverged=bool(part["diverged"].any()))
                for metric, value in zip(METRICS, values, strict=True)
            ]
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)


def summarise(scores, plans, methods, settings, seed):
    """Mean and interval of each method in each cell; a cell that was not run is listed with its reason.

    Parameters
    ----------
    scores : DataFrame
        From `score_episodes`.
    plans : list of dict
        What `scarceseq.fewshot.episodes.plan_cell` says about each cell.
    methods : list of (str, str, str)
        All (base, method, task) that were asked for.
    settings : ScoreSettings
    seed : int
    """
    rows = []
    for key, part in scores.groupby([*CELL, "method", "metric"]):
        found = interval(part["value"], part["support_study"], part["study"], settings, derive(seed, "summary", *key))
        rows.append(
            dict(zip([*CELL, "method", "metric"], key, strict=True))
            | _described(found, "mean")
            | dict(episodes=len(part), status="run", reason=_remark(found, part["diverged"]))
        )
    for plan in plans:
        if plan["planned"] == 0:
            rows += [
                dict(base=base, method=method, task=task, way=plan["way"], shot=plan["shot"], metric=metric)
                | dict(studies=0, episodes=0, interval="NA", status="not run", reason=plan["reason"])
                for base, method, task in sorted(set(methods))
                if task == plan["task"]
                for metric in METRICS
            ]
    table = pd.DataFrame(rows, columns=SUMMARY_COLUMNS)
    return table.sort_values(["base", "task", "way", "shot", "metric", "method"], ignore_index=True)


def contrast(scores, settings, seed):
    """Paired differences, method minus the other, over the same episodes.

    Primary are those of `PRIMARY`; every other method is compared with full fine-tuning, and each guide with its
    other controls, as secondary contrasts. Intervals are not adjusted for their number.
    """
    rows = []
    for key, part in scores.groupby([*CELL, "metric"]):
        wide = part.pivot(index=["episode", "support_study", "study"], columns="method", values="value")
        for method, against, kind in pairs(wide.columns):
            both = (wide[method] - wide[against]).dropna().reset_index(name="difference")
            found = interval(
                both["difference"],
                both["support_study"],
                both["study"],
                settings,
                derive(seed, "contrast", *key, method, against),
            )
            rows.append(
                dict(zip([*CELL, "metric"], key, strict=True))
                | _described(found, "difference")
                | dict(method=method, against=against, kind=kind, episodes=len(both), reason=found.reason)
            )
    return pd.DataFrame(rows, columns=CONTRAST_COLUMNS)


def _remark(found, diverged):
    """Why there is no interval, and how many fits diverged."""
    lost = f"{int(diverged.sum())} of {len(diverged)} fits diverged" if diverged.any() else ""
    return "; ".join(part for part in (found.reason, lost) if part)


def pairs(methods):
    """(method, against, kind) of every contrast among the methods that are there, primary ones first."""
    methods = list(methods)
    listed = [(method, other, "primary") for method, others in PRIMARY.items() for other in others]
    listed += [(method, other, "secondary") for method, others in SECONDARY.items() for other in others]
    listed += [(method, REFERENCE, "secondary") for method in sorted(methods) if method != REFERENCE]
    return [pair for pair in listed if pair[0] in methods and pair[1] in methods]


def _described(found, name):
    return {
        name: found.mean,
        "low": found.low,
        "high": found.high,
        "studies": found.studies,
        "interval": found.kind,
    }
