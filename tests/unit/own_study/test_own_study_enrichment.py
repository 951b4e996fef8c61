"""Gene sets that differ between classes. Oracle: limma's cameraPR (camera.R); without correlation scipy's t test."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scarceseq.gene_sets import rows_of_sets
from scarceseq.own_study import enrichment as module
from scarceseq.own_study.enrichment import enrichment, two_sample_t
from scipy import stats

FOLDER = Path(__file__).parent
LIMMA = pd.read_csv(FOLDER / "limma_expected.tsv", sep="\t", dtype={"gene": str})
CAMERA = pd.read_csv(FOLDER / "camera_expected.tsv", sep="\t").set_index("gene_set")


def airway():
    table = LIMMA[LIMMA["comparison"] == "airway, cell lines as blocks"].reset_index(drop=True)
    table = table.assign(gene_name=table["gene"])
    order = table["statistic"].to_numpy().argsort()
    sets = {
        "every_third": np.arange(0, len(table), 3),
        "first_twenty": np.arange(20),
        "highest": np.sort(order[::-1][:12]),
        "lowest": np.sort(order[1:9]),
    }
    return table, sets


def test_p_values_and_directions_are_those_of_camera():
    table, sets = airway()
    found = enrichment(table, sets, 2).set_index("gene_set").loc[CAMERA.index]
    np.testing.assert_allclose(found["p_value"], CAMERA["PValue"], rtol=1e-6)
    np.testing.assert_allclose(found["adjusted_p_value"], CAMERA["FDR"], rtol=1e-6)
    assert found["direction"].tolist() == CAMERA["Direction"].str.lower().tolist()
    assert found["genes"].tolist() == CAMERA["NGenes"].tolist()


def test_the_first_genes_lead_in_the_direction_of_their_set():
    table, sets = airway()
    found = enrichment(table, sets, 2).set_index("gene_set")
    lowest = table.loc[sets["lowest"]].nsmallest(5, "statistic")["gene_name"]
    assert found.loc["lowest", "first_genes"] == ", ".join(lowest)
    assert found["p_value"].is_monotonic_increasing


def test_without_correlation_it_is_the_t_test_of_two_samples(monkeypatch):
    values = np.random.default_rng(3).normal(size=50)
    monkeypatch.setattr(module, "CORRELATION", 0.0)
    expected = stats.ttest_ind(values[:9], values[9:]).statistic
    assert two_sample_t(values, np.arange(9)) == pytest.approx(expected, rel=1e-12)


def test_of_several_classes_a_set_differs_or_not():
    p_value = np.linspace(1e-6, 1, 200)
    table = pd.DataFrame({"gene_name": [f"G{n}" for n in range(200)], "statistic": 1 / p_value, "p_value": p_value})
    found = enrichment(table, {"first": np.arange(10), "last": np.arange(190, 200)}, 3).set_index("gene_set")
    assert set(found["direction"]) == {"differs"}
    assert found.loc["first", "p_value"] < 0.01
    assert found.loc["last", "p_value"] > 0.9


def test_no_sets_give_an_empty_table():
    table, _ = airway()
    assert enrichment(table, {}, 2).empty


def test_sets_are_those_with_enough_genes_of_the_table_in_any_case():
    pairs = pd.DataFrame({"term": [*"aaaa", *"bb", "c"], "gene": ["g1", "G2", "G2", "x", "G3", "g4", "G1"]})
    found = rows_of_sets(pairs, ["G1", "G2", "G3", "G4", "G1"], 2, 3)
    assert {name: rows.tolist() for name, rows in found.items()} == {"a": [0, 1], "b": [2, 3]}
