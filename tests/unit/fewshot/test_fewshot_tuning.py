"""The table of choices, against values counted by hand and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.fewshot.tuning import TUNING_COLUMNS, tuning
from sklearn.metrics import balanced_accuracy_score

KEY = dict(base="mlp", task="tissue")


def predictions(method, chosen, generator):
    """Predictions of 3 test and 2 validation episodes; two candidates."""
    tables = []
    for role, episodes, candidates in (("validation", 2, [(0.1, 30), (0.1, 100)]), ("test", 3, [chosen])):
        for candidate, steps in candidates:
            for episode in range(episodes):
                p = generator.dirichlet([1, 1], 8)
                own = np.arange(8) % 2
                table = pd.DataFrame({"label": np.array(["a", "b"])[own], "p_0": p[:, 0], "p_1": p[:, 1]})
                table["predicted"] = np.where(p[:, 0] >= p[:, 1], "a", "b")
                table["probability"] = p[np.arange(8), own]
                place = dict(method=method, way="2", shot=1, seed=1, role=role, episode=episode, steps=steps)
                tables.append(table.assign(**place, candidate=candidate, diverged=role == "test" and episode == 1))
    return pd.concat(tables, ignore_index=True)


def test_choices_are_told_with_what_led_to_them():
    table = predictions("guided@global", (0.1, 100), np.random.default_rng(2))
    (row,) = tuning([(KEY, table)]).to_dict("records")
    assert list(row) == TUNING_COLUMNS
    assert row | KEY == row
    assert (row["candidate"], row["steps"], row["candidates"], row["validation_episodes"]) == (0.1, 100, 2, 2)
    own = table[(table["role"] == "validation") & (table["steps"] == 100)]
    scores = [balanced_accuracy_score(part["label"], part["predicted"]) for _, part in own.groupby("episode")]
    assert row["validation_accuracy"] == pytest.approx(np.mean(scores))
    assert row["diverged"] == pytest.approx(1 / 3)
    test = table[table["role"] == "test"]
    surest, right = test[["p_0", "p_1"]].max(axis=1), test["label"] == test["predicted"]
    expected = 0.0
    for low in np.arange(5) / 5:
        here = (surest >= low) & ((surest < low + 0.2) | (low > 0.7))
        expected += here.mean() * abs(right[here].mean() - surest[here].mean()) if here.any() else 0.0
    assert row["calibration_error"] == pytest.approx(expected)


def test_rejected_candidates_are_counted_apart_from_test_fits_that_diverged():
    table = predictions("guided@global", (0.1, 100), np.random.default_rng(2))
    table["diverged"] = (table["role"] == "validation") & (table["steps"] == 30)
    (row,) = tuning([(KEY, table)]).to_dict("records")
    assert (row["rejected"], row["diverged"]) == (1, 0)
    table["diverged"] = (table["role"] == "validation") & (table["steps"] == 100)  # the chosen one is not rejected
    (row,) = tuning([(KEY, table)]).to_dict("records")
    assert (row["rejected"], row["diverged"]) == (0, 0)


def test_methods_and_cells_without_validation_or_tests_are_no_obstacle():
    generator = np.random.default_rng(3)
    table = pd.concat([predictions(name, (0.1, 30), generator) for name in ("guided@aruba", "scratch")])
    only = table[table["role"] == "test"]
    found = tuning([(KEY, only), (KEY | dict(task="sex"), table[:0])])
    assert found["method"].tolist() == ["guided@aruba", "scratch"]
    assert found["validation_accuracy"].isna().all()
    assert tuning([(KEY, table[:0])]).columns.tolist() == TUNING_COLUMNS
