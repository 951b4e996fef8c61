"""Few-shot methods on the folds of one study: tuned and calibrated within each fold's training samples."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.fewshot.calibration import calibrated, fit_temperature
from scarceseq.fewshot.cell import fit_method, make_predictor
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.corpus import Episodes
from scarceseq.fewshot.features import pca
from scarceseq.fewshot.method import Candidate
from scarceseq.fewshot.settings import FittingSettings
from scarceseq.own_study.folds import fold_episodes
from scarceseq.seals import checked

if TYPE_CHECKING:
    from scarceseq.fewshot.corpus import Corpus
    from scarceseq.fewshot.method import Estimator, FineTuning
    from scarceseq.own_study.settings import FoldSettings
    from scarceseq.own_study.unfinished import Unfinished
    from scarceseq.pretrain.model import Base


COLUMNS = [
    *["method", "repeat", "fold", "sample", "label", "predicted", "probability", "candidate", "steps", "temperature"],
    "diverged",
]


def check_method(name: str, method: "FineTuning | Estimator") -> None:
    """Refuse a method that needs more of the reference studies than a packed model has."""
    if method.reference and getattr(method, "prepare", None) is not pca.prepare:
        raise InputError(
            f"config key own_study.methods: {name} looks at all samples of the reference studies, of which a packed "
            "model has the principal components only"
        )


def cross_validate(
    samples: pd.DataFrame,
    corpus: "Corpus",
    predictors: dict[str, tuple[Callable, list[Candidate]]],
    settings: "FoldSettings",
    repeat: int,
    seed: int,
) -> pd.DataFrame:
    """Predictions of some methods for each sample, by fits that did not see it.

    Hyper-parameter and temperature are chosen on inner folds of a fold's training samples; where these are fewer than
    ``settings.least_calibrated``, probabilities are left as they are. `samples` are from
    `scarceseq.own_study.sample_labels.labelled`; `predictors` give by method what
    `scarceseq.fewshot.cell.make_predictor` made, and its candidates.

    One row per method and sample: method, repeat, fold, sample, label, predicted, probability (of the true label),
    candidate, steps, temperature, diverged, p_0, p_1, ... (of the classes in the order of their names), and raw_0, ...
    the same before calibration.
    """
    tables = []
    for fold, outer, inner in fold_episodes(samples, settings.folds, settings.inner_folds, repeat, seed):
        test, validation = Episodes(outer, corpus), Episodes(inner, corpus)
        training = int((outer["part"] == "support").sum())
        for name, (predict, candidates) in predictors.items():
            rows, best = fit_method(name, validation, test, predict, candidates)
            held_out = rows[rows["role"] == "test"].reset_index(drop=True)
            of_best = (rows["candidate"] == best.text) & (rows["steps"] == best.steps)
            seen, classes = rows[(rows["role"] == "validation") & of_best], test[0].classes
            temperature = _temperature(seen, classes) if training >= settings.least_calibrated else 1.0
            table = _calibrated(held_out, classes, temperature)
            tables.append(table.assign(method=name, repeat=repeat, fold=fold))
    places = range(samples["label"].nunique())
    probabilities = [f"{kind}_{place}" for kind in ("p", "raw") for place in places]
    return pd.concat(tables, ignore_index=True)[[*COLUMNS, *probabilities]]


def _temperature(seen: pd.DataFrame, classes: list[str]) -> float:
    """Temperature by predictions of inner folds; 1 if there are none."""
    if seen.empty:
        return 1.0
    return fit_temperature(_probabilities(seen, classes), seen["label"].map(classes.index).to_numpy())


def _probabilities(rows: pd.DataFrame, classes: list[str]) -> np.ndarray:
    return rows[[f"p_{place}" for place in range(len(classes))]].to_numpy(float)


def _calibrated(rows: pd.DataFrame, classes: list[str], temperature: float) -> pd.DataFrame:
    raw = _probabilities(rows, classes)
    scaled = calibrated(raw, temperature)
    true_class = rows["label"].map(classes.index).to_numpy()
    rows = rows.assign(temperature=temperature, probability=scaled[np.arange(len(rows)), true_class])
    for kind, values in (("p", scaled), ("raw", raw)):
        rows = rows.assign(**{f"{kind}_{place}": values[:, place] for place in range(len(classes))})
    return rows


def own_predictors(
    methods: Mapping[str, Mapping[str, Any]],
    corpus: "Corpus",
    splits: pd.DataFrame,
    base: "Base",
    fitting: Mapping[str, Any],
    seed: int,
) -> dict[str, tuple[Callable, list[Candidate]]]:
    """What predicts by each method, and its candidates.

    `methods` give by name ``learned`` (path of its guide, or None) and ``candidates``, `fitting` the keys of
    `FittingSettings`; `corpus` and `splits` are from `scarceseq.own_study.study.own_corpus`.
    """
    from safetensors.torch import load_file

    settings, predictors = FittingSettings(**fitting, candidates=[]), {}
    for name, inputs in methods.items():
        method = compose(name)
        check_method(name, method)
        learned = load_file(checked(inputs["learned"])) if inputs["learned"] else None
        candidates = [Candidate(*pair) for pair in inputs["candidates"]]
        predictors[name] = make_predictor(method, learned, candidates, corpus, splits, base, settings, seed), candidates
    return predictors


def repeated(
    samples: pd.DataFrame,
    corpus: "Corpus",
    predictors: dict[str, tuple[Callable, list[Candidate]]],
    settings: "FoldSettings",
    seed: int,
    unfinished: "Unfinished",
) -> pd.DataFrame:
    """`cross_validate` once for each repeat, each kept as it ends."""
    given = samples, corpus, predictors, settings
    return unfinished.repeats(samples, settings, lambda repeat: cross_validate(*given, repeat, seed))
