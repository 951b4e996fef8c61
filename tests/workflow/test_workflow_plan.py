"""All of mouse and all of human are planned as a few hundred jobs. Oracle: the real lists of projects and runs."""

import importlib.util
import json

import pandas as pd
import pytest
import yaml
from helpers import REPOSITORY, planned, snakemake


def load(path):
    """A script of the folder benchmarks as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


benchmark = load(REPOSITORY / "benchmarks/plan.py")
record = load(REPOSITORY / "benchmarks/tools/record.py")


def archive_of(organism):
    return yaml.safe_load((REPOSITORY / f"config/{organism}.yaml").read_text())["archive"]


@pytest.fixture(scope="module")
def inventory(shared_data):
    """Function that gives the list of an organism's runs."""
    return lambda organism: benchmark.inventory(shared_data / "bulk/recount3_inventory", organism)


@pytest.mark.parametrize("organism", ["mouse", "human"])
def test_a_whole_organism_is_planned_without_network_as_a_few_hundred_jobs(repository_copy, organism):
    plan = planned(repository_copy, "--configfile", f"config/{organism}.yaml")
    batches = archive_of(organism)["batches"] + len(archive_of(organism)["giant_studies"])
    assert plan["fetch_batch"] == plan["build_shard"] == batches
    assert plan["list_studies"] == plan["merge_corpus"] == plan["render_report"] == 1
    assert sum(plan.values()) < 600


@pytest.mark.parametrize("organism", ["mouse", "human"])
def test_a_first_real_run_is_under_eighty_jobs_of_the_studies_drawn_from_the_real_list(
    repository_copy, tmp_path, inventory, organism
):
    path = repository_copy / f"config/{organism}_small.yaml"
    config = yaml.safe_load(path.read_text())
    plan = planned(repository_copy, "--configfile", str(path))
    assert sum(plan.values()) <= 80
    assert plan["fetch_batch"] == plan["build_shard"] == config["archive"]["batches"] == 4
    benchmark.write_mirror(inventory(organism), tmp_path / "mirror", organism)
    config["archive"]["mirrors"] = [str(tmp_path / "mirror")]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    listing = ["--until", "list_studies", "--configfile", str(tmp_path / "config.yaml")]
    said = snakemake(repository_copy, "--cores", "1", *listing).stdout
    assert "This run plans about 200 studies" in said
    assert "GB of downloads" in said
    studies = pd.read_csv(repository_copy / f"results/{organism}_small/archive/studies.tsv", sep="\t")
    drawn = studies[studies["batch"].notna()]
    assert 170 <= len(drawn) <= 200
    assert 4000 <= drawn["runs"].sum() <= 5000
    assert drawn["runs"].between(6, 300).all()
    if organism == "mouse":  # whose values the unit tests compare with R's
        assert "SRP081192" in set(drawn["project"])


def test_three_named_studies_have_three_batches_and_no_giants(repository_copy):
    named = 'archive={"studies": ["SRP1", "SRP2", "SRP3"]}'
    plan = planned(repository_copy, "--configfile", "config/mouse.yaml", "--config", named)
    assert plan["fetch_batch"] == 3


def test_the_demo_of_the_transformer_trains_both_kinds_of_network_and_fine_tunes_none(repository_copy):
    plan = planned(repository_copy, "--configfile", "config/demo_transformer.yaml")
    assert plan["generate_demo"] == plan["merge_corpus"] == plan["render_report"] == 1
    assert plan["pretrain"] == plan["embed"] == plan["embed_genes"] == plan["compare_embeddings"] == 2
    assert not plan.keys() & {"plan_scouts", "fit_episodes", "build_graph", "fit_selection"}
    bases = yaml.safe_load((REPOSITORY / "config/demo_transformer.yaml").read_text())["pretrain"]["bases"]
    assert {base["architecture"] for base in bases.values()} == {"mlp", "transformer"}


def test_selectors_on_gears_have_jobs_beside_those_on_the_graph(repository_copy):
    plan = planned(repository_copy, "--configfile", "config/demo_gears.yaml")
    expected = {"generate_demo": 1, "prepare_screen": 1, "rank_perturbations": 2, "select_in_rounds": 2}
    assert {rule: plan[rule] for rule in expected} == expected
    assert not plan.keys() & {"pretrain", "fit_episodes", "fit_predictors"}


@pytest.mark.parametrize("organism", ["mouse", "human"])
def test_the_giants_of_a_shipped_config_are_all_studies_of_over_750_runs(inventory, organism):
    sizes = inventory(organism).groupby("project").size()
    assert archive_of(organism)["giant_studies"] == sorted(sizes.index[sizes > 750])


def test_the_real_list_of_mouse_goes_through_the_rule_without_loss_and_evenly(repository_copy, tmp_path, inventory):
    runs = inventory("mouse")
    assert (runs["project"].nunique(), len(runs)) == (10088, 416803)
    config = str(benchmark.prepare(runs, tmp_path))
    snakemake(repository_copy, "--cores", "1", "--until", "list_studies", "--configfile", config)
    archive = repository_copy / "results/mouse/archive"
    assert benchmark.differences(runs, archive) == []

    studies = pd.read_csv(archive / "studies.tsv", sep="\t").set_index("project")
    loads = studies.groupby("batch")["runs"].sum()
    ordinary = loads[loads.index.str.startswith("batch_")]
    assert len(ordinary) == 100
    assert ordinary.max() < 2 * ordinary.mean()
    giants = studies[studies["batch"].notna() & (studies["runs"] > 750)]
    assert giants["batch"].tolist() == giants.index.tolist()
    assert set(studies.loc[studies["batch"].isna(), "skip_reason"]) == {"under 10 runs"}

    plan = planned(repository_copy, "--configfile", config)
    assert "list_studies" not in plan
    assert plan["fetch_batch"] == 186


def test_a_users_study_keeps_the_archives_copy_out_by_whatever_id(repository_copy, tmp_path):
    runs = [("sra", f"SRP{study}", f"SRR{study}_{run}") for study in (1, 2, 3, 4) for run in range(10)]
    path = benchmark.prepare(pd.DataFrame(runs, columns=["source", "project", "external_id"]), tmp_path)
    (tmp_path / "accessions.tsv").write_text("study\tsecondary\talias\nPRJNA1\tSRP1\tGSE1\nPRJNA2\tSRP2\tGSE2\n")
    (tmp_path / "counts.tsv").write_text("gene\ta\n")
    config = yaml.safe_load(path.read_text())
    config["archive"] |= {"study_accessions": str(tmp_path / "accessions.tsv"), "excluded_studies": ["PRJNA2"]}
    study = {"name": "mine", "counts": str(tmp_path / "counts.tsv"), "gene_id_type": "ensembl"}
    config["user_studies"] = [study | {"accessions": ["GSE1", "SRP3"]}]
    path.write_text(yaml.safe_dump(config))
    snakemake(repository_copy, "--cores", "1", "--until", "list_studies", "--configfile", str(path))
    studies = pd.read_csv(repository_copy / "results/mouse/archive/studies.tsv", sep="\t", keep_default_na=False)
    assert studies["skip_reason"].tolist() == ["excluded: GSE1", "excluded: PRJNA2", "excluded", "NA"]


def test_no_study_of_the_real_list_moves_when_others_are_added(inventory):
    assert benchmark.moved(inventory("mouse"), archive_of("mouse")["giant_studies"]) == []


def test_a_benchmark_that_loses_or_doubles_a_study_says_so(tmp_path):
    rows = [("sra", "SRP1", "SRR1"), ("sra", "SRP1", "SRR2"), ("sra", "SRP2", "SRR3")]
    runs = pd.DataFrame(rows, columns=["source", "project", "external_id"])
    studies = pd.DataFrame({"source": "sra", "project": ["SRP1", "SRP2"], "runs": [2, 1], "batch": ["batch_0", "NA"]})
    studies["skip_reason"] = ["NA", "under 2 runs"]
    (tmp_path / "plan").mkdir()

    def faults(studies, planned):
        studies.to_csv(tmp_path / "studies.tsv", sep="\t", index=False)
        planned.rename(columns={"external_id": "run"}).to_csv(tmp_path / "plan/batch_0.tsv", sep="\t", index=False)
        return benchmark.differences(runs, tmp_path)

    assert faults(studies, runs[:2]) == []
    assert faults(studies, runs[:1]) != []
    assert faults(studies, pd.concat([runs[:2], runs[:1]])) != []
    assert faults(studies[:1], runs[:2]) != []
    assert faults(studies.assign(skip_reason="NA"), runs[:2]) != []


def test_a_result_is_kept_with_date_machine_and_commit_unless_it_was_quick(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    script = tmp_path / "claim.py"
    script.write_text('import sys\nprint(\'a table\')\nprint(\'{"name": "claim", "ratio": 0.5}\')\nsys.exit(1)\n')
    assert record.main(str(script), "--quick") == 1
    assert not (tmp_path / "claim.json").exists()
    assert record.main(str(script)) == 1
    kept = json.loads((tmp_path / "claim.json").read_text())
    assert kept["ratio"] == 0.5
    assert {"date", "machine", "commit"} <= set(kept)


def test_a_benchmark_that_prints_no_result_has_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    script = tmp_path / "claim.py"
    script.write_text("print('done')\n")
    assert record.main(str(script)) == 1


def test_a_sweep_of_a_hundred_thousand_fits_is_planned_cell_by_cell(repository_copy):
    config = yaml.safe_load((REPOSITORY / "config/demo.yaml").read_text())
    ways, shots, methods = [2, 5, "all"], [1, 2, 5, 10], len(config["fewshot"]["methods"])
    task = {"split": "default", "label": "tissue", "ways": ways, "shots": shots}
    config["fewshot"] |= {"episodes": 200, "methods_per_job": 1, "tasks": {"tissue": task}}
    (repository_copy / "sweep.yaml").write_text(yaml.safe_dump(config))
    plan = planned(repository_copy, "--configfile", "sweep.yaml")
    assert plan["fit_episodes"] == len(ways) * len(shots) * methods
    assert plan["fit_episodes"] * config["fewshot"]["episodes"] > 100_000
    config["fewshot"]["methods_per_job"] = 20
    (repository_copy / "sweep.yaml").write_text(yaml.safe_dump(config))
    assert planned(repository_copy, "--configfile", "sweep.yaml")["fit_episodes"] == len(ways) * len(shots) * -(
        -methods // 20
    )
