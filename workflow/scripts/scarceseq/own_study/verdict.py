"""What one small study can tell and what not, in plain sentences."""

import numpy as np
import pandas as pd

from scarceseq.own_study.scores import contrasts, permutation_table, scores
from scarceseq.statistics.intervals import share_interval
from scarceseq.statistics.power import POWER, smallest_detectable_accuracy
from scarceseq.statistics.writer import Contrast, counted, plain, sentence, sentence_of_all


def report(predictions, permuted, samples, possible, settings, options, warnings=()):
    """Tables and sentences of a study.

    Parameters
    ----------
    predictions, permuted : pandas.DataFrame
        From `scarceseq.own_study.cross_validation`.
    samples : pandas.DataFrame
        label, held_out.
    possible : float
        See `permutation_table`.
    settings : FoldSettings
    options : dict
        ``confidence``, ``smallest_difference``.
    warnings : sequence of str
        What makes the answer worthless, such as a batch that is the same thing as the label: said first.

    Returns
    -------
    dict
        ``scores``, ``contrasts``, ``permutations`` (tables), ``summary`` (for JSON; its ``verdict`` is a list of str,
        ``warnings`` its first sentences).
    """
    classes, confidence = sorted(samples["label"].unique()), options["confidence"]
    folds = predictions["fold"].nunique()
    first = predictions["method"].iloc[0]
    told = predictions[(predictions["method"] == first) & (predictions["repeat"] == 0)]
    training = len(samples) - int(np.ceil(len(told) / folds))
    counts = told["label"].value_counts().sort_index()
    group = told["sample"].map(samples.set_index("sample")["group"])
    groups = group.groupby(told["label"]).nunique()
    summary = {
        "first": first,
        "samples": len(samples),
        "classes": classes,
        "counts": {name: int(count) for name, count in counts.items()},
        "held_out": bool(samples["held_out"].any()),
        "folds": folds,
        "repeats": int(predictions["repeat"].nunique()),
        "training_samples": training,
        "least_calibrated": settings.least_calibrated,
        "calibrated": bool((told["temperature"] != 1).any()),
        "right": int((told["label"] == told["predicted"]).sum()),
        "predicted": len(told),
        "groups": int(group.nunique()),
        "confidence": confidence,
    }
    tests = max(permuted["method"].nunique(), 1)  # of which the best must hold after Holm's adjustment
    least = smallest_detectable_accuracy(list(groups), 1 - (1 - confidence) / tests)
    found = {
        "scores": scores(predictions, classes, folds, confidence),
        "contrasts": contrasts(predictions, first, folds, confidence, options["smallest_difference"]),
        "permutations": permutation_table(predictions, permuted, possible),
    }
    table = found["permutations"]
    shown = table.loc[table["p_holm"] <= 1 - confidence, "method"]
    summary["first_beats_chance"] = bool(shown.eq(first).any())
    detectable = {"smallest_detectable": least, "smallest_difference": options["smallest_difference"]}
    sentences = verdict(summary | detectable, found["scores"], found["contrasts"], found["permutations"])
    return found | {
        "summary": summary
        | {"smallest_detectable": least if np.isfinite(least) else None}
        | {"warnings": list(warnings), "verdict": [*warnings, *sentences]}
    }


def verdict(summary, score_table, contrast_table, permutation):
    """Plain sentences on what the study tells.

    Parameters
    ----------
    summary : dict
        ``first`` (method), ``counts`` (predicted samples of each class), ``confidence``, ``smallest_detectable``,
        ``right`` and ``predicted`` (samples, in the first repeat), ``groups`` (of these samples), ``repeats``,
        ``folds``, ``calibrated`` (bool), ``least_calibrated``, ``training_samples``, ``smallest_difference``.
    score_table, contrast_table, permutation : pandas.DataFrame
        From `scores`, `contrasts`, `permutation_table`.

    Returns
    -------
    list of str
    """
    found = [
        _can_it_be_told(summary, permutation) + _untested(score_table, permutation),
        _size(summary),
        _comparison(summary, score_table, contrast_table),
    ]
    found.append(_calibration(summary, score_table))
    found.append("One study is one study: none of this says how the prediction does in another laboratory's samples.")
    return found


def _can_it_be_told(summary, permutation):
    right, predicted, groups = summary["right"], summary["predicted"], summary["groups"]
    share = share_interval(right * groups / predicted, groups, summary["confidence"])
    unit = "" if groups == predicted else f" by their {groups} groups"
    first, repeats = plain(summary["first"]), summary["repeats"]
    subject = f"In the first of {repeats} repeats, {first}" if repeats > 1 else _start(first)
    start = (
        f"{subject} predicts {right} of {predicted} held-out samples right "
        f"({100 * summary['confidence']:g}% interval{unit} {share[0]:.0%} to {share[1]:.0%}; always the most frequent "
        f"class: {max(summary['counts'].values())})"
    )
    if permutation.empty:
        return f"{start}. Nothing was compared with permuted labels, so that this is no test."
    alpha = 1 - summary["confidence"]
    best = permutation.loc[permutation["p_holm"].idxmin()]
    listed = " ".join(
        f"{_start(row.method)} has a balanced accuracy of {row.balanced_accuracy:.2f}, permuted labels one of "
        f"{row.permuted_mean:.2f} on average (p = {row.p:.2g})."
        for row in permutation.itertuples()
    )
    floor = permutation["smallest_p"].min() * len(permutation)
    if floor > alpha:
        few = (permutation["smallest_p"] > 1 / (1 + permutation["permutations"]) + 1e-12).any()
        why = "arrangements of the labels are possible" if few else "permutations were drawn (own_study.permutations)"
        text = (
            f"It cannot be told whether the label can be predicted, whatever the data: so few {why} that p after "
            f"Holm's adjustment cannot fall below {floor:.2g}."
        )
    elif best["p_holm"] <= alpha:
        text = "The label can be predicted from these samples better than by chance."
    else:
        text = (
            "It cannot be told from these samples whether the label can be predicted: permuted labels do as well too "
            f"often (smallest p after Holm's adjustment {best['p_holm']:.2g})."
        )
    return f"{text} {start}. {listed}"


def _untested(score_table, permutation):
    """The best method that was not compared with permuted labels, if it does better than those usually let any."""
    bar = permutation["permuted_high"].max()
    rest = score_table[~score_table["method"].isin(permutation["method"]) & (score_table["balanced_accuracy"] > bar)]
    if rest.empty:
        return ""
    row = rest.iloc[0]
    return (
        f" {_start(row['method'])}, which was not compared with permuted labels, reaches a balanced accuracy of "
        f"{row['balanced_accuracy']:.2f}. To test it, name it in own_study.tested_methods, better for other samples "
        "than those that it was picked by."
    )


def _size(summary):
    counts = ", ".join(f"{count} of {name}" for name, count in summary["counts"].items())
    least = summary["smallest_detectable"]
    if not np.isfinite(least):
        return f"With {counts}, not even a perfect prediction would be told from chance with {POWER:.0%} power."
    return (
        f"With {counts}, only a balanced accuracy above {least:.2f} would be told from chance with {POWER:.0%} power."
    )


def comparisons(summary: dict, contrast_table: pd.DataFrame) -> list[Contrast]:
    """What the writer says of the first method against each other."""
    n = f"{counted(summary['folds'], 'fold')}, {counted(summary['repeats'], 'repeat')}"
    return [
        Contrast(
            subject=plain(row["method"]),
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


def _comparison(summary, score_table, contrast_table):
    others = score_table[score_table["method"] != summary["first"]]
    if others.empty:
        return "No other method was run."
    best = plain(others.iloc[0]["method"])
    compared = comparisons(summary, contrast_table)
    text = sentence(next(each for each in compared if each.rival == best))
    if len(compared) == 1:
        return text
    everything = sentence_of_all(compared, f"{plain(summary['first'])} against all others")
    return f"{text} This is the best of the others, picked after the fact. {everything}"


def _calibration(summary, score_table):
    if not summary["calibrated"]:
        return (
            f"Probabilities are not calibrated: {summary['training_samples']} training samples are fewer than "
            f"{summary['least_calibrated']}. Take them as scores."
        )
    row = score_table.set_index("method").loc[summary["first"]]
    return (
        f"Probabilities were calibrated by one temperature in each fold, fitted on inner folds of its training samples "
        f"(median {row['temperature']:.2f}). Log loss {row['log_loss']:.3f}, before {row['log_loss_before']:.3f}; "
        f"calibration error {row['calibration_error']:.2f}."
    )


def _start(name):
    """A method's name in plain words, at the beginning of a sentence."""
    return plain(name)[0].upper() + plain(name)[1:]
