"""The section on predicted profiles says what cannot be told, and lists genes by perturbation."""

import pandas as pd
import pytest
from scarceseq.files import write_json, write_table
from scarceseq.report import prediction
from scarceseq.report.inputs import Inputs


def summary(**changes):
    facts = {"measured": 40, "predicted": 900, "predictor": "mean_kernel", "relative_error": 0.61, "outside": 2}
    return facts | {"interval": [0.5, 0.7], "better_than_mean": True, "confidence": 0.95} | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "are predicted with 0.610 of the mean effect's squared error (95% interval 0.500 to 0.700)"),
        ({"better_than_mean": False, "interval": [0.9, 1.1]}, "cannot be told better than the mean effect"),
        ({"interval": [None, None], "better_than_mean": False}, "too few perturbations for an interval"),
    ],
)
def test_the_sentence_says_what_can_be_told(changes, expected):
    assert expected in prediction.sentence("mine", summary(**changes))


def test_the_section_has_its_tables(tmp_path):
    write_json(summary(), tmp_path / "summary.json")
    tables = {
        "accuracy": {"stratum": ["all"], "perturbations": [40], "relative_error": [0.61]},
        "choice": {"predictor": ["mean_kernel"], "relative_error": [0.6], "chosen": [True]},
        "changed": {
            "perturbation": ["A", "A"],
            "rank": [1, 2],
            "gene": ["X", "Y"],
            "change": [1.0, -2.0],
            "sd": [1, 1],
        },
    }
    named = {"prediction_summary": [str(tmp_path / "summary.json")]}
    for name, values in tables.items():
        write_table(pd.DataFrame(values), tmp_path / f"{name}.tsv")
        named[f"prediction_{name}"] = [str(tmp_path / f"{name}.tsv")]
    section = prediction.section(Inputs(named, {name: [{"screen": "mine"}] for name in named}))
    shown = next(block for block in section.blocks if getattr(block, "name", "") == "prediction_changed").shown
    assert shown.to_dict("list") == {"screen": ["mine"], "perturbation": ["A"], "genes": ["X+, Y-"]}
    assert "Of 2 genes nothing is known" in " ".join(block.text for block in section.blocks if hasattr(block, "text"))
    assert prediction.section(Inputs({})) is None
