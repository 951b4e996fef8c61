"""What each method chose on the validation episodes, and what became of its fits to the test episodes."""

from typing import Any

import pandas as pd

from scarceseq.fewshot.calibration import calibration_error
from scarceseq.fewshot.metrics import measure

FIT = ["method", "way", "shot", "seed"]
TUNING_COLUMNS = [
    *["base", "task", "way", "shot", "seed", "method", "candidate", "steps", "candidates", "validation_accuracy"],
    *["validation_episodes", "calibration_error", "diverged", "rejected"],
]


def tuning(predictions: list[tuple[dict[str, Any], pd.DataFrame]]) -> pd.DataFrame:
    """One row per method, cell and pre-training seed, from the tables of `scarceseq.fewshot.cell.fit_cell`.

    Columns: base, task, way, shot, seed, method, candidate, steps (what was chosen; 0 steps if the method takes none),
    candidates (how many were tried), validation_accuracy (balanced, of the chosen one, mean over validation_episodes;
    NA without any), calibration_error (over all query samples of the test episodes), diverged (share of the fits to
    test episodes), rejected (candidates of which a fit to a validation episode diverged and that were not chosen).
    """
    tables = [pd.DataFrame(columns=TUNING_COLUMNS)]
    for key, table in predictions:
        test, validation = (table[table["role"] == role] for role in ("test", "validation"))
        if len(test):
            tables.append(_of_tests(test).merge(_of_validation(validation, test), on=FIT, how="left").assign(**key))
    whole = dict.fromkeys(["steps", "candidates", "validation_episodes", "rejected"], "Int64")
    return pd.concat(tables[1:] or tables, ignore_index=True)[TUNING_COLUMNS].astype(whole)


def _of_tests(test: pd.DataFrame) -> pd.DataFrame:
    columns = [column for column in test if column.startswith("p_")]
    test = test.assign(right=test["label"] == test["predicted"], surest=test[columns].max(axis=1))
    rows = []
    for values, queries in test.groupby(FIT, sort=True):
        row = dict(
            zip(FIT, values, strict=True), candidate=queries["candidate"].iloc[0], steps=queries["steps"].iloc[0]
        )
        row |= dict(calibration_error=calibration_error(queries["surest"], queries["right"]))
        rows.append(row | dict(diverged=queries.drop_duplicates("episode")["diverged"].mean()))
    return pd.DataFrame(rows)


def _of_validation(validation: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    chosen = test.drop_duplicates(FIT)[[*FIT, "candidate", "steps"]]
    tried = validation.drop_duplicates([*FIT, "candidate", "steps"]).groupby(FIT).size()
    of_chosen = validation.merge(chosen, on=[*FIT, "candidate", "steps"])
    scores = measure(of_chosen, [*FIT, "episode"]).groupby(FIT)["balanced_accuracy"].agg(["mean", "size"])
    lost = validation[validation["diverged"]].merge(chosen, how="left", on=FIT, suffixes=("", "_chosen"))
    other = (lost["candidate"] != lost["candidate_chosen"]) | (lost["steps"] != lost["steps_chosen"])
    rejected = lost[other].drop_duplicates([*FIT, "candidate", "steps"]).groupby(FIT).size()
    names = {"mean": "validation_accuracy", "size": "validation_episodes"}
    scores = scores.rename(columns=names).assign(candidates=tried, rejected=rejected)
    return scores.fillna({"rejected": 0}).reset_index()
