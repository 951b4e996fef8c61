"""The configs of real input: planned as expected, and run to their reports."""

import pandas as pd
import pytest
from helpers import planned, snakemake

EXPECTED = {
    "real_mouse": {"import_study": 3, "fetch_batch": 1, "build_shard": 1, "merge_corpus": 1, "render_report": 1},
    "real_screen": {"build_graph": 3, "prepare_screen": 6, "score_selection": 1, "render_report": 1},
}
# Sweeps, which take minutes and are not run here; their results are in docs/benchmark.
SWEEPS = {
    "benchmark_selection": {"build_graph": 4, "rank_perturbations": 15, "select_in_rounds": 12, "fit_selection": 27},
    "iterpert": {"build_graph": 2, "rank_perturbations": 2, "select_in_rounds": 1, "fit_selection": 3},
}


def arguments(name, data):
    return ("--configfile", f"config/{name}.yaml", "--config", f"data={data}")


@pytest.mark.parametrize("name", [*EXPECTED, *SWEEPS])
def test_a_real_config_plans_its_stages_and_no_others(repository_copy, shared_data, name):
    plan = planned(repository_copy, *arguments(name, shared_data))
    expected = (EXPECTED | SWEEPS)[name]
    assert {rule: plan.get(rule) for rule in expected} == expected
    assert "generate_demo" not in plan
    assert ("pretrain" in plan) == (name == "real_mouse")


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_config_runs_to_its_report(repository_copy, shared_data, name):
    snakemake(repository_copy, "--cores", "2", *arguments(name, shared_data))
    results = repository_copy / "results" / name
    assert "<svg" in (results / "report.html").read_text()
    assert planned(repository_copy, *arguments(name, shared_data)) == {}
    if name == "real_mouse":
        summary = pd.read_csv(results / "fewshot/summary.tsv", sep="\t")
        assert set(summary.loc[summary["status"] == "run", "task"])
        splits = pd.read_csv(results / "corpus/splits.tsv", sep="\t")
        assert (splits.groupby("split")["role"].apply(lambda roles: (roles == "test").sum()) == 1).all()
    else:
        contrasts = pd.read_csv(results / "selection/contrasts.tsv", sep="\t")
        assert {"k562", "papalexi"} <= set(contrasts["screen"])
