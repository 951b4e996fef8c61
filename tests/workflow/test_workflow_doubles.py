"""Doubles through the workflow. Oracle: the interactions that the generator gave them; the plan of the shipped one."""

import numpy as np
import pandas as pd
import pytest
from helpers import copy_repository, planned, snakemake

CONFIG = ("--configfile", "tests/config/doubles.yaml")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = copy_repository(tmp_path_factory.mktemp("doubles"))
    tables = [f"results/pairs/perturbation/{name}.tsv" for name in ("interactions", "strata", "summary")]
    snakemake(folder, "--cores", "2", *tables, *CONFIG)
    return folder / "results/pairs"


@pytest.fixture(scope="module")
def truth(results):
    return pd.read_parquet(results / "demo/truth/doubles.parquet").assign(
        name=lambda table: ["+".join(sorted(name.split("+"))) for name in table["perturbation"]]
    )


def test_measured_scores_follow_the_interactions_that_were_made(results, truth):
    table = pd.read_csv(results / "perturbation/interactions.tsv", sep="\t")
    assert set(table["predictor"]) == {"control", "training_mean", "additive", "matching_mean", "gears"}
    assert set(table["perturbation"]) == set(truth["name"])  # all doubles are tested, nothing was learned from them
    true = table.drop_duplicates(["perturbation", "score"]).pivot(index="perturbation", columns="score", values="true")
    made = truth.set_index("name")
    size = true["magnitude"].groupby(made["kind"]).median()
    assert size["suppression"] < size["additive"] < size["synergy"]
    assert true["equality"].groupby(made["kind"]).median()["epistasis"] < 0.9 * true["equality"].median()
    expected = np.hypot(made["c1"], made["c2"]).reindex(true.index)
    assert np.corrcoef(expected, true["magnitude"])[0, 1] > 0.7


def test_adding_up_knows_doubles_without_interaction_and_no_other(results, truth):
    table = pd.read_csv(results / "perturbation/interactions.tsv", sep="\t")
    seen = table.query("predictor == 'additive' and stratum == 'seen2' and score == 'magnitude'")
    np.testing.assert_allclose(seen["predicted"], 2**0.5, rtol=1e-3)
    errors = pd.read_csv(results / "perturbation/demo/additive/none.errors.tsv", sep="\t")
    floor = pd.read_csv(results / "perturbation/demo/training_mean/none.errors.tsv", sep="\t")
    both = errors.merge(floor, on=["split", "perturbation"], suffixes=("", "_mean"))
    both = both.merge(truth, left_on="perturbation", right_on="name").merge(
        seen[["split", "perturbation"]], left_on=["split", "name"], right_on=["split", "perturbation"]
    )
    share = both["error"].groupby(both["kind"]).mean() / both["error_mean"].groupby(both["kind"]).mean()
    assert share["additive"] < 0.5
    assert share["additive"] < share["suppression"]


def test_errors_come_by_how_many_genes_were_seen(results):
    strata = pd.read_csv(results / "perturbation/strata.tsv", sep="\t")
    seen = strata[strata["by"] == "seen"]
    assert {"single", "seen1", "seen2"} <= set(seen["stratum"])
    assert set(seen["predictor"]) == {"control", "training_mean", "additive", "matching_mean", "gears"}


def test_the_public_screen_is_planned(repository_copy, shared_data):
    plan = planned(repository_copy, "--configfile", "config/doubles.yaml", "--config", f"data={shared_data}")
    assert (plan["fetch_screen"], plan["fit_predictors"], plan["score_interactions"]) == (3, 15, 1)
