"""The configs of real input: planned as expected, and run to their reports."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from helpers import REPOSITORY, planned, snakemake
from scarceseq.archive.layout import annotation_path
from scarceseq.archive.tables import read_annotation

EXPECTED = {
    "real_mouse": {"import_study": 3, "fetch_batch": 1, "meta_train": 8, "fit_episodes": 15, "render_report": 1},
    "real_human": {"import_study": 3, "fetch_batch": 1, "meta_train": 12, "fit_episodes": 13, "render_report": 1},
    "real_screen": {"build_graph": 3, "prepare_screen": 6, "score_selection": 1, "render_report": 1},
}
# Sweeps, which take minutes and are not run here; their results are in docs/benchmark.
SWEEPS = {
    "benchmark_selection": {"build_graph": 4, "rank_perturbations": 15, "select_in_rounds": 12, "fit_selection": 27},
    "iterpert": {"build_graph": 2, "rank_perturbations": 2, "select_in_rounds": 1, "fit_selection": 3},
}


def arguments(name, data):
    return ("--configfile", f"config/{name}.yaml", "--config", f"data={data}")


def write_annotation(mirror, shared_data):
    """As the head of config/real_human.yaml says."""
    tables = ["EMTAB2319_immune_63/expr.tsv.gz", "geuvadis_sex_85/counts.tsv.gz", "airway_8/counts.tsv.gz"]
    command = [sys.executable, REPOSITORY / "benchmarks/tools/shared_annotation.py", mirror, "G026"]
    subprocess.run([*command, *(shared_data / "bulk/human" / table for table in tables)], check=True)


def test_the_annotation_of_human_tables_has_the_genes_that_all_have(shared_data, tmp_path):
    write_annotation(tmp_path, shared_data)
    genes = read_annotation(tmp_path / annotation_path("human", "G026"))
    assert len(genes) == 9993
    found = [set(genes["gene_id"].str.removesuffix(".1"))]
    for table in ("EMTAB2319_immune_63/expr", "geuvadis_sex_85/counts", "airway_8/counts"):
        found.append(set(pd.read_csv(shared_data / f"bulk/human/{table}.tsv.gz", sep="\t", usecols=[0]).iloc[:, 0]))
    assert found[0] == found[1] & found[2] & found[3]
    assert set(genes["bp_length"]) == {1000}


@pytest.mark.parametrize("name", [*EXPECTED, *SWEEPS])
def test_a_real_config_plans_its_stages_and_no_others(repository_copy, shared_data, name):
    plan = planned(repository_copy, *arguments(name, shared_data))
    expected = (EXPECTED | SWEEPS)[name]
    assert {rule: plan.get(rule) for rule in expected} == expected
    assert "generate_demo" not in plan
    assert ("pretrain" in plan) == (name in ("real_mouse", "real_human"))


def test_the_config_that_nobody_has_the_files_of_is_planned_once_they_are_there(repository_copy, tmp_path):
    config = yaml.safe_load((repository_copy / "config/genelab.yaml").read_text())
    done = snakemake(repository_copy, "-n", *arguments("genelab", tmp_path), check=False)
    assert f"config key user_studies.0.counts: there is no file '{tmp_path}/OSD-104.counts.csv'" in done.stdout
    for study in config["user_studies"]:
        for key in ("counts", "labels"):
            Path(study[key].format(data=tmp_path)).touch()
    plan = planned(repository_copy, *arguments("genelab", tmp_path))
    assert plan["import_study"] == len(config["user_studies"]) == 23
    assert plan["pretrain"] == 5
    assert plan["fit_episodes"] == 5 * 7 * 3  # seeds, tasks, shots
    tested = {study for study, role in config["corpus"]["splits"]["default"]["roles"].items() if role == "test"}
    assert tested == {study["name"] for study in config["user_studies"]}
    labels = {label for study in config["user_studies"] for label in study["label_columns"]}
    assert {task["label"] for task in config["fewshot"]["tasks"].values()} == labels - {"mouse"}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_config_runs_to_its_report(repository_copy, shared_data, name):
    results = repository_copy / "results" / name
    if name == "real_human":
        write_annotation(results / "mirror", shared_data)
    snakemake(repository_copy, "--cores", "2", *arguments(name, shared_data), fresh=True)
    assert "<svg" in (results / "report.html").read_text()
    assert planned(repository_copy, *arguments(name, shared_data)) == {}
    if name != "real_screen":
        summary = pd.read_csv(results / "fewshot/summary.tsv", sep="\t")
        assert set(summary.loc[summary["status"] == "run", "task"])
        splits = pd.read_csv(results / "corpus/splits.tsv", sep="\t")
        assert (splits.groupby("split")["role"].apply(lambda roles: (roles == "test").sum()) == 1).all()
    else:
        contrasts = pd.read_csv(results / "selection/contrasts.tsv", sep="\t")
        assert {"k562", "papalexi"} <= set(contrasts["screen"])
