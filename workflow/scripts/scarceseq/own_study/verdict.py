"""What one small study can tell and what not: a short answer, then the figures behind it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.own_study.best import LEFT_OUT_ALONE
from scarceseq.own_study.exchange import arrangements
from scarceseq.own_study.names import BEST, BEST_OF_COUNTS, PLAIN, of_counts
from scarceseq.own_study.permutation import the_test
from scarceseq.own_study.scores import contrasts, scores
from scarceseq.own_study.settings import FoldSettings
from scarceseq.statistics.intervals import share_interval
from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.power import POWER, smallest_detectable_accuracy
from scarceseq.statistics.writer import Contrast, counted, plain, sentence, sentence_of_all


def report(
    predictions: pd.DataFrame,
    permuted: pd.DataFrame,
    best: dict[str, Any],
    samples: pd.DataFrame,
    settings: FoldSettings,
    options: dict[str, Any],
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """Tables and sentences of a study.

    `predictions` are of all methods, the best classifier first, `permuted` is from
    `scarceseq.own_study.permutation.permutation_scores`, `best` the summary of
    `scarceseq.own_study.best.best_of_study`; `samples` has the columns label, group, held_out; `options` are ``label``
    (name of the column), ``confidence``, ``smallest_difference``; `warnings` make the answer worthless, such as a batch
    that is the same thing as the label: they are said first.

    Gives ``scores``, ``contrasts`` (tables), ``summary`` (for JSON; its ``answer`` has at most three sentences, its
    ``verdict`` a list of all, ``warnings`` its first).
    """
    confidence, difference = options["confidence"], options["smallest_difference"]
    classes, folds = sorted(samples["label"].unique()), predictions["fold"].nunique()
    summary = _summary(predictions, best, samples, settings) | {"label": options["label"]}
    score_table = scores(predictions, classes, folds, confidence)
    contrast_table = contrasts(predictions, BEST, folds, confidence, difference)
    summary |= {"confidence": confidence, "smallest_difference": difference, "test": the_test(permuted, samples)}
    summary["best_accuracy"] = float(score_table.set_index("method").loc[BEST, "balanced_accuracy"])
    summary["best_beats_chance"] = bool(summary["test"].get("p", 1.0) <= 1 - confidence)
    floor = 1 / arrangements(samples)
    least = smallest_detectable_accuracy(summary.pop("groups_by_class"), confidence, floor=floor)
    summary["smallest_detectable"] = least if np.isfinite(least) else None
    answer = [_can_it_be_told(summary), _model_adds(summary, contrast_table), _size(summary)]
    answer = [text for text in answer if text]
    details = [
        _figures(summary),
        _comparison(summary, score_table, contrast_table),
        _probabilities(summary, score_table),
        f"{LEFT_OUT_ALONE}." if best["left_out_alone"] else "",
        "One study is one study: none of this says how the prediction does in another laboratory's samples.",
    ]
    verdict = [*warnings, *answer, *(text for text in details if text)]
    summary |= {"answer": answer, "warnings": list(warnings), "verdict": verdict}
    return {"scores": score_table, "contrasts": contrast_table, "summary": summary}


def _summary(
    predictions: pd.DataFrame, best: dict[str, Any], samples: pd.DataFrame, settings: FoldSettings
) -> dict[str, Any]:
    """Sizes of the study and of its folds."""
    folds = predictions["fold"].nunique()
    first = predictions[(predictions["method"] == BEST) & (predictions["repeat"] == 0)]
    group = first["sample"].map(samples.set_index("sample")["group"])
    training = len(samples) - int(np.ceil(len(first) / folds))
    return {
        **{key: best[key] for key in ("best", "chosen", "left_out_alone", "unlabelled", "outside")},
        "samples": len(samples),
        "classes": sorted(samples["label"].unique()),
        "counts": {name: int(count) for name, count in first["label"].value_counts().sort_index().items()},
        "groups_by_class": list(group.groupby(first["label"]).nunique()),
        "held_out": bool(samples["held_out"].any()),
        "folds": folds,
        "repeats": int(predictions.loc[predictions["method"] == BEST, "repeat"].nunique()),
        "training_samples": training,
        "calibrated": training >= settings.least_calibrated,
        "right": int((first["label"] == first["predicted"]).sum()),
        "predicted": len(first),
        "groups": int(group.nunique()),
    }


def _can_it_be_told(summary: dict[str, Any]) -> str:
    label, test = summary["label"], summary["test"]
    right = f"{summary['right']} of {summary['predicted']} samples are predicted right by fits that did not see them"
    if not test:
        return f"{right}; nothing was compared with permuted labels, so that this is no test."
    alpha = 1 - summary["confidence"]
    if test["smallest_p"] > alpha:
        few = "samples" if test["exact"] or test["smallest_p"] > 1 / (1 + test["permutations"]) else "permutations"
        return f"So few {few} cannot show whether {label} can be predicted, whatever the data; {right}."
    if test["p"] <= alpha:
        return f"Yes, {label} can be predicted from these samples better than by chance: {right}."
    return f"These samples do not show that {label} can be predicted: {right}, which chance reaches too often."


def _model_adds(summary: dict[str, Any], contrast_table: pd.DataFrame) -> str:
    """Whether the pre-trained model makes the prediction better; empty where there is none.

    Where the best classifier may use features of the model, it is compared with the best that may not; else with the
    most accurate method on the model, which was picked afterwards.
    """
    rows, best = contrast_table.set_index("against"), summary["best_accuracy"]
    if BEST_OF_COUNTS in rows.index:
        row = rows.loc[BEST_OF_COUNTS]
        verdict, accuracies = Outcome(row["outcome"]), f"{best:.2f} with it, {best - row['difference']:.2f} without"
    else:
        # Every other name is of the study's genes alone, their average too.
        on_model = rows[[name not in PLAIN or not of_counts([name]) for name in rows.index]]
        if on_model.empty:
            return ""
        row = on_model.loc[on_model["difference"].idxmin()]
        turned = {Outcome.BETTER: Outcome.WORSE, Outcome.WORSE: Outcome.BETTER}
        verdict = turned.get(Outcome(row["outcome"]), Outcome(row["outcome"]))
        accuracies = f"{best - row['difference']:.2f} by its best method, picked afterwards; {best:.2f} without it"
    if verdict == Outcome.BETTER:
        return f"The pre-trained model makes the prediction better (balanced accuracy {accuracies})."
    if verdict == Outcome.WORSE:
        return f"The pre-trained model makes the prediction worse (balanced accuracy {accuracies})."
    if verdict == Outcome.NO_DIFFERENCE:
        return f"The pre-trained model neither helps nor harms here (balanced accuracy {accuracies})."
    return f"Whether the pre-trained model helps cannot be told from these samples (balanced accuracy {accuracies})."


def _size(summary: dict[str, Any]) -> str:
    """What so few samples could have shown; nothing where they have."""
    if summary["best_beats_chance"]:
        return ""
    counts = ", ".join(f"{count} of {name}" for name, count in summary["counts"].items())
    if summary["smallest_detectable"] is None:
        return f"With {counts}, not even a perfect prediction could be shown to be better than chance."
    least = summary["smallest_detectable"]
    return f"With {counts}, only a balanced accuracy above {least:.2f} would be shown, in {POWER:.0%} of such studies."


def _figures(summary: dict[str, Any]) -> str:
    right, predicted, groups = summary["right"], summary["predicted"], summary["groups"]
    share = share_interval(right * groups / predicted, groups, summary["confidence"])
    unit = "" if groups == predicted else f" by their {groups} groups"
    start = f"In the first of {summary['repeats']} repeats the" if summary["repeats"] > 1 else "The"
    text = (
        f"{start} best classifier, {PLAIN[summary['best']]} by all samples, predicts {right} of {predicted} samples "
        f"right ({100 * summary['confidence']:g}% interval{unit} {share[0]:.0%} to {share[1]:.0%}; always the most "
        f"frequent class: {max(summary['counts'].values())})."
    )
    test = summary["test"]
    if not test:
        return text
    how = f"all {test['permutations'] + 1} arrangements of" if test["exact"] else f"{test['permutations']} permuted"
    return (
        f"{text} With {how} labels, everything being chosen anew, balanced accuracy is {test['permuted_mean']:.2f} on "
        f"average (p = {test['p']:.2g}, ties broken by log loss; p = {test['p_log_loss']:.2g} by log loss alone)."
    )


def comparisons(summary: dict[str, Any], contrast_table: pd.DataFrame) -> list[Contrast]:
    """What the writer says of the best classifier against each other."""
    n = f"{counted(summary['folds'], 'fold')}, {counted(summary['repeats'], 'repeat')}"
    return [
        Contrast(
            subject="the best classifier",
            rival=plain(row["against"]),
            difference=row["difference"],
            low=row["low"],
            high=row["high"],
            n=n,
            smallest_difference=summary["smallest_difference"],
            decimals=2,
            reason="" if np.isfinite(row["low"]) else "there is a single fold",
        )
        for row in contrast_table.to_dict("records")
    ]


def _comparison(summary: dict[str, Any], score_table: pd.DataFrame, contrast_table: pd.DataFrame) -> str:
    others = score_table[score_table["method"] != BEST]
    first = plain(others.iloc[0]["method"])
    compared = comparisons(summary, contrast_table)
    text = sentence(next(each for each in compared if each.rival == first))
    everything = sentence_of_all(compared, "the best classifier against all others")
    return f"{text} This is the highest of the others, picked after the fact. {everything}"


def _probabilities(summary: dict[str, Any], score_table: pd.DataFrame) -> str:
    row = score_table.set_index("method").loc[BEST]
    text = (
        f"Probabilities are calibrated by folds within the training samples: log loss {row['log_loss']:.3f}, "
        f"calibration error {row['calibration_error']:.2f}."
    )
    few = f" {summary['training_samples']} training samples are few for that: take probabilities as scores."
    return text if summary["calibrated"] else text + few
