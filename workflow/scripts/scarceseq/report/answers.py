"""The questions that a run can answer, each with a card for the first screen and the comparisons behind it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.fewshot import verdict as fewshot
from scarceseq.perturbation.summary import best_predictor
from scarceseq.report import best_method, pretrain
from scarceseq.report.blocks import Question
from scarceseq.report.embeddings import NAMES
from scarceseq.report.glossary import plain_method
from scarceseq.report.inputs import Inputs
from scarceseq.report.own_study_figures import BEST, method_words
from scarceseq.report.wording import count, words
from scarceseq.selection.contrasts import BASELINES, PRIMARY
from scarceseq.selection.verdicts import comparison
from scarceseq.statistics.cards import Card, card, collected, share_card
from scarceseq.statistics.intervals import WITHIN
from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.several import pooled
from scarceseq.statistics.writer import Contrast

MOST_SECONDARY = 10
FIRST_GENES = 3
GUIDE, AVERAGE, HEAD = "guided fine-tuning", "its average rate", "a linear classifier on the frozen network"


def questions(inputs: Inputs, settings: Mapping[str, Any]) -> list[Question]:
    """Every question that the run can answer, in the order of the page."""
    asked = [_collected(inputs), _own(inputs), _knows(inputs), _guide(inputs, settings), _method(inputs)]
    asked += [_design(inputs), _selection(inputs), _prediction(inputs, settings)]
    return [question for question in asked if question is not None]


def _collected(inputs: Inputs) -> Question | None:
    if not inputs.has("samples"):
        return None
    samples = inputs.table("samples")
    sizes = samples["study"].value_counts().to_numpy()
    basis = f"{count(len(sizes), 'study', 'studies')}, largest first"
    total = np.cumsum([0, *sizes])
    return Question(collected(len(samples), basis), "corpus", [(np.arange(len(total)), total)])


def _own(inputs: Inputs) -> Question | None:
    if not inputs.has("own_summary"):
        return None
    ((_, summary),) = inputs.values("own_summary")
    row = inputs.table("own_scores").set_index("method").loc[BEST]
    outcome = Outcome.BETTER if summary["best_beats_chance"] else Outcome.UNDECIDED
    value, low, high = (100 * row[name] for name in ("balanced_accuracy", "low", "high"))
    line, basis = 100 / len(summary["classes"]), method_words(BEST)
    return Question(Card("own", tuple(summary["answer"]), outcome, value, low, high, line, basis), "own_study")


def _knows(inputs: Inputs) -> Question | None:
    if not inputs.has("pretrain_evaluation"):
        return None
    errors = pretrain.error_table(pretrain.masked_errors(inputs.stacked("pretrain_evaluation")))
    test = errors[errors["split_role"] == "test"]
    errors = test if len(test) else errors
    singles = pretrain.comparisons(errors)
    if not singles:
        return None
    first = pooled(singles, "the model", "the best simple predictor")
    basis = count(int(errors["studies"].max()), "unseen study", "unseen studies")
    return Question(card("knows", first, basis), "pretrain", compared=[(first, True), *_telling_labels(inputs)])


def _telling_labels(inputs: Inputs) -> list[tuple[Contrast, bool]]:
    """The embedding against simpler features in telling labels, pooled over bases and tasks."""
    rows = pd.DataFrame([row for _, value in inputs.values("pretrain_contrasts") for row in value["contrasts"]])
    if rows.empty:
        return []
    rows = rows.astype({"low": float, "high": float})
    measure = "labels predicted right, difference in percentage points"
    groups = rows.groupby("against", sort=False)
    return [(_points("embedding", NAMES[against], group, measure), False) for against, group in groups]


def _points(subject: str, rival: str, rows: pd.DataFrame, measure: str, least: float = np.nan) -> Contrast:
    """Pooled differences of shares, in percentage points."""
    values = 100 * rows[["difference", "low", "high"]]
    look: dict[str, Any] = {"n": "", "measure": measure, "smallest_difference": 100 * least, "unit": "%"}
    return pooled([Contrast(subject, rival, *row, **look) for row in values.itertuples(index=False)])


def _guide(inputs: Inputs, settings: Mapping[str, Any]) -> Question | None:
    if not inputs.has("fewshot_contrasts"):
        return None
    table = inputs.table("fewshot_contrasts")
    table = table[table["metric"] == fewshot.METRIC]
    if len(across := table[table["interval"] != WITHIN]) and across["low"].notna().any():
        table = across  # what rests on one study says nothing of others
    rows = table[(table["kind"] == "primary") & table["method"].str.startswith("guided")]
    if rows.empty:
        return None
    least = settings["fewshot"]["scoring"]["smallest_difference"]
    measure = "right answers, difference in percentage points"
    to_controls = rows["against"].isin(fewshot.OWN_CONTROLS)
    compared = []
    for rival, group in ((AVERAGE, rows[to_controls]), (HEAD, rows[~to_controls])):
        if len(group):
            compared.append((_points(GUIDE, rival, group, measure, least), True))
    first, _ = compared[0]
    if not to_controls.any():  # the card's sentence is about its controls
        first = replace(first, difference=np.nan, low=np.nan, high=np.nan)
    others = table[table["kind"] != "primary"].groupby(["method", "against"], sort=False)
    for (method, against), group in list(others)[:MOST_SECONDARY]:
        compared.append((_points(plain_method(method), plain_method(against), group, measure, least), False))
    return Question(card("guide", first), "fewshot", compared=compared)


def _method(inputs: Inputs) -> Question | None:
    if not inputs.has("fewshot_summary"):
        return None
    best = best_method.best(inputs.table("fewshot_summary"), inputs.table("fewshot_ranks"))
    if best is None:
        return None
    basis = f"{count(best.methods, 'method')}, {count(best.cells, 'task')}; dashed: the next best"
    share = 100 * best.mean, 100 * best.low, 100 * best.high
    answer = share_card("method", best.outcome, share, 100 * best.second, basis, plain_method(best.name))
    return Question(answer, "fewshot")


def _design(inputs: Inputs) -> Question | None:
    if not inputs.has("design_order"):
        return None
    ((_, summary),) = inputs.values("design_summary")
    order, curve = inputs.table("design_order"), inputs.table("design_curve")
    basis = "first " + ", ".join(order["gene"].astype(str).head(FIRST_GENES))
    if summary["error"] is None:
        return Question(share_card("design", Outcome.NOT_TESTED, (np.nan,) * 3, np.nan, basis), "design")
    low, median, high = summary["error_random"]
    error = summary["error"]
    outcome = Outcome.BETTER if error < low else Outcome.WORSE if error > high else Outcome.UNDECIDED
    names = "expected_error", "expected_error_random_median"
    lines = [(curve["genes"].to_numpy(), curve[name].to_numpy(float)) for name in names]
    return Question(share_card("design", outcome, (error, np.nan, np.nan), median, basis), "design", lines)


def _selection(inputs: Inputs) -> Question | None:
    if not inputs.has("selection_contrasts"):
        return None
    table = inputs.table("selection_contrasts")
    for key in ("predictor", "metric", "scale", "quantity"):
        table = table[table[key] == PRIMARY[key]]
    primary = table[table["kind"] == "primary"]

    def saved(rows: pd.DataFrame, subject: str, rival: str = "") -> Contrast:
        singles = [comparison(row) for row in rows.to_dict("records")]
        return replace(pooled(singles, subject, rival), measure="avoidable squared error saved, %")

    planned = [(primary[primary["against"] == against], name) for against, name in BASELINES.items()]
    compared = [(saved(rows, "usage-weighted reach", name), True) for rows, name in planned if len(rows)]
    if not compared:
        return None
    others = table[(table["kind"] == "secondary") & (table["against"] == "random")].groupby("selector", sort=False)
    rest = sorted((saved(rows, words(name)) for name, rows in others), key=lambda each: -each.difference)
    compared += [(each, False) for each in rest[:MOST_SECONDARY]]
    return Question(card("selection", compared[0][0]), "selection", compared=compared)


def _prediction(inputs: Inputs, settings: Mapping[str, Any]) -> Question | None:
    if inputs.has("prediction_summary"):
        singles, names = [], []
        for labels, summary in inputs.values("prediction_summary"):
            low, high = (np.nan if each is None else each for each in summary["interval"])
            values = 100 * (1 - summary["relative_error"]), 100 * (1 - high), 100 * (1 - low)
            names.append(words(summary["predictor"]))
            name, n = f"{names[-1]}, screen {labels['screen']}", count(summary["measured"], "perturbation")
            singles.append(Contrast(name, "the average effect", *values, n, measure="squared error saved, %", unit="%"))
        name, section = names[0] if len(set(names)) == 1 else "the chosen model", "prediction"
    elif inputs.has("perturbation_summary"):
        singles, name, section = _best_predictors(inputs, settings), "the best model afterwards", "perturbation"
    else:
        return None
    if not singles:
        return None
    answer = singles[0] if len(singles) == 1 else pooled(singles, "the chosen model")
    return Question(card("prediction", answer, name=name), section, compared=[(each, True) for each in singles])


def _best_predictors(inputs: Inputs, settings: Mapping[str, Any]) -> list[Contrast]:
    """On each screen the predictor that came out best, against the average effect."""
    summary = inputs.table("perturbation_summary")
    summary = summary[summary["status"] == "run"].fillna({"source": "none"})
    graphs = settings.get("network", {}).get("graphs", {})
    controls = {name for name, graph in graphs.items() if graph["kind"] in ("shuffled", "rewired")}
    best = [best_predictor(rows, controls)[0] for _, rows in summary.groupby("screen", sort=True)]
    return [replace(each, rival="the average effect", measure="squared error saved, %") for each in best if each]
