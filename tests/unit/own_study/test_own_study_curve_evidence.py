"""What is said of more samples follows the measured coverage. Oracle: the kept table, counted again."""

from pathlib import Path

import pandas as pd
import pytest
from scarceseq.own_study.curve_evidence import is_trusted, read_curve_evidence
from scarceseq.report.next_experiment import curve_sentence

KEPT = Path(__file__).parents[3] / "docs/benchmark/learning_curve.tsv"
CURVE = pd.DataFrame(
    {
        "groups_per_class": [4, 8, 16],
        "balanced_accuracy": [0.7, 0.8, 0.86],
        "low": [0.6, 0.7, 0.78],
        "high": [0.8, 0.9, 0.95],
        "observed": [True, True, False],
    }
)


def evidence_of(*covered):
    names = [f"S{number}" for number in range(len(covered))]
    return pd.DataFrame({"study": names, "labels": 1, "cases": 20, "covered": covered, "width": 0.3})


def test_the_evidence_is_what_the_kept_table_says():
    kept = pd.read_csv(KEPT, sep="\t")
    held = (kept["reached"] >= kept["low"] - 1e-4) & (kept["reached"] <= kept["high"] + 1e-4)
    assert (held == kept["covered"]).mean() > 0.97  # of rounded numbers
    found = read_curve_evidence().set_index("study")
    shares = kept.groupby("study")["covered"].mean()
    assert found["covered"].to_dict() == pytest.approx(shares.to_dict(), abs=1e-4)
    assert found["cases"].to_dict() == kept.groupby("study").size().to_dict()


def test_an_answer_needs_intervals_that_held():
    assert is_trusted(evidence_of(0.8, 0.9, 0.86))
    assert not is_trusted(evidence_of(0.8, 0.9, 0.84))
    assert not is_trusted(evidence_of(1.0, 1.0))
    text = curve_sentence(CURVE, evidence_of(0.8, 0.8, 0.8))
    assert text == (
        "How many more samples would do for the prediction cannot be said: on 3 larger studies such 90% intervals held "
        "what was reached in 80% of the cases."
    )


def test_the_answer_has_its_interval_and_says_when_it_is_too_wide():
    text = curve_sentence(CURVE, evidence_of(0.9, 0.9, 0.9))
    assert text.startswith(
        "Learning from 8 of each class reaches a balanced accuracy of 0.80; 16 are expected to reach"
    )
    assert "0.86 (90% interval 0.78 to 0.95; on 3 larger studies" in text
    assert "too wide" not in text
    assert curve_sentence(CURVE.assign(low=0.5), evidence_of(0.9, 0.9, 0.9)).endswith("plan the number of samples by.")
    full = curve_sentence(CURVE.assign(balanced_accuracy=0.97), evidence_of(0.9, 0.9, 0.9))
    assert full.startswith(
        "Learning from 8 of each class reaches a balanced accuracy of 0.97: there is little left for"
    )
