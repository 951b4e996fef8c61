"""Every sample under its own name: what it is, what it is taken for, how surely, and whether it is like the others."""

import numpy as np
import pandas as pd

from scarceseq.own_study.names import BEST
from scarceseq.own_study.nested import Prediction, predict
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import StudyValues, TrainingSet
from scarceseq.seeds import derive

COLUMNS = ["sample", "label", "predicted", "probability", "wrong_share", "outside"]


def cross_validated(predictions: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Samples with labels, by the fits of all repeats that did not see them; `COLUMNS`.

    `predictions` are from `scarceseq.own_study.nested.nested_predictions`; samples that were held out of no fit have
    none. predicted: the class of the highest mean probability over repeats, which is ``probability``; wrong_share: of
    the repeats.
    """
    best = predictions[predictions["method"] == BEST]
    classes = np.array(sorted(samples["label"].unique()))
    by_sample = best.groupby("sample", sort=False)
    means = by_sample[[f"p_{code}" for code in range(len(classes))]].mean().to_numpy()
    table = pd.DataFrame({"predicted": classes[means.argmax(axis=1)], "probability": means.max(axis=1)})
    table.index = pd.Index(list(by_sample.groups), name="sample")
    table["wrong_share"] = (best["label"] != best["predicted"]).groupby(best["sample"]).mean()
    return samples[["sample", "label"]].join(table, on="sample").assign(outside=False)[COLUMNS]


def predict_unlabelled(
    values: StudyValues,
    samples: pd.DataFrame,
    unlabelled: pd.DataFrame,
    candidates: list[str],
    settings: FoldSettings,
    seed: int,
) -> tuple[pd.DataFrame, Prediction]:
    """Samples without a label to test by, from all samples that have one and are not held out.

    `values` has rows of `samples`, then of `unlabelled`, whose label is missing, or one that nothing was learned of. In
    the table, `COLUMNS`, wrong_share is missing; outside: farther from the nearest training sample than any training
    sample is from its own. The choice of the prediction is the best classifier of all samples.
    """
    train = np.flatnonzero(~samples["held_out"])
    test = len(samples) + np.arange(len(unlabelled))
    predicted = test if len(test) else train[:1]  # with nothing to predict, the choice alone is wanted
    prediction = predict(values, samples, train, predicted, candidates, settings, derive(seed, "inner folds", "all"))
    classes = np.array(sorted(samples["label"].iloc[train].unique()))
    probabilities = prediction.probabilities[BEST][: len(test)]
    table = unlabelled[["sample", "label"]].assign(
        predicted=classes[probabilities.argmax(axis=1)],
        probability=probabilities.max(axis=1),
        wrong_share=np.nan,
        outside=far_away(values, train, test),
    )
    return table[COLUMNS], prediction


def far_away(values: StudyValues, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Whether each test sample is farther from its nearest training sample than any training sample is from its own.

    Euclidean distances of log counts per million, over the genes that are expressed in the training samples. Of samples
    like the training samples about one in their number plus one is.
    """
    from scipy.spatial.distance import cdist

    kept = TrainingSet(values, train, test, np.zeros(len(train), dtype=int)).kept
    learned = values.logs[np.ix_(train, kept)]
    within = cdist(learned, learned)
    np.fill_diagonal(within, np.inf)
    return cdist(values.logs[np.ix_(test, kept)], learned).min(axis=1) > within.min(axis=1).max()
