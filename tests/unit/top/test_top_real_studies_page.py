"""The tool that pools the real studies, on constructed scores whose differences are known."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "tools"))

import real_studies
import real_studies_page


def scores(gains, series=8, k=(2, 3), label="biological_1", noise=0.01):
    """Balanced accuracies: 0.7 for ridge on logarithms; a gain for the others, more and less in turn by the noise."""
    rows = []
    for number in range(series):
        for shot in k:
            for episode in range(4):
                for method, gain in {"ridge@logs": 0, **gains}.items():
                    value = 0.7 + gain + (noise * (-1) ** number if method != "ridge@logs" else 0)
                    place = ("mouse", f"mouse fold{number % 5}", f"mouse s{number}", f"s{number} {label}", label)
                    rows.append((*place, shot, episode, 1, method, value))
    names = ["organism", "fold", "series", "task", "label", "k", "episode", "seed", "method", "value"]
    return pd.DataFrame(rows, columns=names)


def test_differences_are_those_that_were_put_in():
    table = real_studies.pooled(
        scores({"ridge@genes": -0.1, "logistic@logs": 0.0}), ["ridge@logs", "ridge@genes", "logistic@logs"]
    )
    row = real_studies_page.chosen(table, "mouse", "2 and 3", "ridge@genes", "ridge@logs")
    assert row.difference == pytest.approx(-0.1, abs=0.01)
    assert (row.outcome, row.series, row.tasks) == ("worse", 8, 16)
    assert real_studies_page.chosen(table, "mouse", "3", "logistic@logs", "ridge@logs").outcome == "no difference"


def test_a_method_that_sees_no_network_goes_with_every_seed_of_the_other():
    guided = scores({"guided@global": 0.1}, noise=0)
    second = guided[guided["method"] == "guided@global"].assign(seed=2, value=lambda table: table["value"] + 0.02)
    found = real_studies.differences(pd.concat([guided, second]), "guided@global", "ridge@logs")
    assert found.groupby("seed")["value"].mean().to_dict() == pytest.approx({1: 0.1, 2: 0.12})


def test_the_champion_of_a_fold_is_chosen_on_its_validation_series_alone():
    tuned = pd.DataFrame(
        {
            "fold": ["a", "a", "b", "b", "b"],
            "method": ["ridge@logs", "knn@logs", "ridge@logs", "knn@logs", "knn@logs"],
            "label": ["biological_1"] * 4 + ["technical_1"],
            "k": 2,
            "validation_accuracy": [0.8, 0.9, 0.7, 0.6, 1.0],
        }
    )
    best = real_studies.champions(tuned)
    assert best.to_dict() == {"a": "knn@logs", "b": "ridge@logs"}
    table = scores({"knn@logs": -0.3})
    table["fold"] = np.where(table["series"] == "mouse s0", "a", "b")
    own = real_studies.with_champion(table, best).query("method == 'champion'")
    assert (own.loc[own["fold"] == "a", "value"] < 0.5).all()
    assert (own.loc[own["fold"] == "b", "value"] == 0.7).all()


@pytest.mark.parametrize(
    ("gain", "noise", "words"),
    [
        (0.1, 0.01, "does better than"),
        (-0.1, 0.01, "does worse than"),
        (0, 0.01, "does as well as"),
        (0, 0.5, "is not told from"),
    ],
)
def test_the_first_sentence_says_what_the_table_says(gain, noise, words):
    table = real_studies.pooled(scores({"champion": gain}, noise=noise), ["ridge@logs", "champion"])
    assert f"the method chosen on validation series {words} ridge regression" in real_studies_page.answer(table)
    assert ("series would decide" in real_studies_page.primary(table)) == (words == "is not told from")


def test_models_that_share_data_within_folds_are_covered_less():
    alone, shared = real_studies.coverage(14, 0.0), real_studies.coverage(14, 0.3)
    assert 0.93 <= alone <= 0.97
    assert shared < alone
