"""The best classifier of a study: cross-validated, then chosen on all samples to predict those without a label."""

import logging
from dataclasses import dataclass
from typing import Any

import pandas as pd

from scarceseq.own_study.folds import left_out_alone
from scarceseq.own_study.names import BEST, without_study
from scarceseq.own_study.nested import nested_predictions
from scarceseq.own_study.sample_table import cross_validated, predict_unlabelled
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import StudyValues
from scarceseq.own_study.unfinished import Unfinished

log = logging.getLogger(__name__)
LEFT_OUT_ALONE = (
    "Folds that mix groups would leave a class without a sample to learn from, so each group is left out by itself"
)


@dataclass(frozen=True)
class Best:
    """Predictions of all methods and repeats, the table of samples, and a summary for JSON."""

    predictions: pd.DataFrame
    samples: pd.DataFrame
    summary: dict[str, Any]


def best_of_study(
    values: StudyValues,
    samples: pd.DataFrame,
    unlabelled: pd.DataFrame,
    candidates: list[str],
    settings: FoldSettings,
    seed: int,
    unfinished: Unfinished,
) -> Best:
    """Cross-validate the best classifier, repeat by repeat, and predict the samples without a label.

    `values` has rows of `samples`, then of `unlabelled`, both from `scarceseq.own_study.sample_labels.labelled`.
    `unfinished` keeps each repeat as it ends.
    """
    alone = left_out_alone(samples, settings, seed)
    if alone:
        log.warning("%s", LEFT_OUT_ALONE)
    given = values, samples, candidates, settings
    predictions = unfinished.repeats(samples, settings, lambda repeat: nested_predictions(*given, repeat, seed))
    table = cross_validated(predictions, samples)
    others, final = predict_unlabelled(values, samples, unlabelled, candidates, settings, seed)
    whole = pd.concat([table, others], ignore_index=True) if len(others) else table
    names = without_study(whole["sample"], [*samples["study"], *unlabelled["study"]])
    chosen = predictions.loc[predictions["method"] == BEST].drop_duplicates(["repeat", "fold"])["candidate"]
    right, tested = int((table["label"] == table["predicted"]).sum()), int(table["predicted"].notna().sum())
    repeats = predictions["repeat"].nunique()
    summary = {
        "best": final.choice.name,
        "chosen": {name: int(count) for name, count in chosen.value_counts(sort=False).items()},
        "left_out_alone": alone,
        "unlabelled": len(others),
        "outside": int(others["outside"].sum()) if len(others) else 0,
        "first_answer": f"{right} of {tested} samples are predicted right, in the mean over {repeats} repeats",
    }
    return Best(predictions, whole.assign(sample=names), summary)
