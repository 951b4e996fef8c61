"""A step reruns when its input, parameters, script or an imported module of the package changes, and not otherwise."""

import contextlib
import os
import re

import pytest
import yaml
from helpers import planned

TINY = "tests/config/tiny.yaml"
PACKAGE = "workflow/scripts/scarceseq"
FEWSHOT = {"fit_episodes", "score_fewshot", "render_report"}
TRANSFER = {"transfer_screen", "score_transfer"}  # between screens; makes its guides as the guide stage does
GUIDE = {"plan_scouts", "train_scouts", "compute_guide"}
SELECTION = {"rank_perturbations", "fit_selection", "describe_selection", "score_selection", "render_report"}


@contextlib.contextmanager
def edited(path, edit):
    """Change a file of the copy for the time of a test."""
    before, stat = path.read_text(), path.stat()
    path.write_text(edit(before))
    try:
        yield
    finally:
        path.write_text(before)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def appended(text):
    return text + "\n\nUNUSED_CONSTANT = 1\n"


def rules(folder, *arguments):
    return set(planned(folder, "--configfile", TINY, *arguments))


def changed_config(folder, change):
    """Plan with a changed copy of the tiny config."""
    config = yaml.safe_load((folder / TINY).read_text())
    change(config)
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(config))
    return planned(folder, "--configfile", str(path))


def test_touching_every_file_reruns_nothing(finished_run):
    for folder in ("workflow", "rules", "config", "profiles"):
        for path in (finished_run / folder).rglob("*"):
            path.touch()
    (finished_run / "Snakefile").touch()
    assert rules(finished_run) == set()


def test_comment_and_docstring_rerun_nothing(finished_run):
    def edit(text):
        return re.sub(r'^"""', '"""Reworded. ', text, count=1) + "\n# a remark\n"

    with edited(finished_run / PACKAGE / "guide" / "guides.py", edit):
        assert rules(finished_run) == set()


def test_edit_of_a_guide_module_reruns_guide_and_what_follows(finished_run):
    with edited(finished_run / PACKAGE / "guide" / "guides.py", appended):
        assert rules(finished_run) == {"compute_guide"} | TRANSFER | FEWSHOT


def test_edit_of_scout_training_reruns_from_the_scouts_on(finished_run):
    with edited(finished_run / PACKAGE / "guide" / "scouts.py", appended):
        planned_rules = rules(finished_run)
    assert {"train_scouts", "compute_guide"} | FEWSHOT <= planned_rules
    assert planned_rules <= GUIDE | FEWSHOT


def test_edit_of_a_script_reruns_its_rule_and_what_follows(finished_run):
    with edited(finished_run / "workflow/scripts/rank_perturbations.py", appended):
        assert rules(finished_run) == SELECTION


def test_edit_of_the_report_template_reruns_the_report(finished_run):
    template = next((finished_run / PACKAGE / "report").glob("*.j2"))
    with edited(template, lambda text: text + "\n"):
        assert rules(finished_run) == {"render_report"}


def test_edit_of_a_method_reruns_only_its_jobs(finished_run):
    with edited(finished_run / PACKAGE / "fewshot" / "fine_tuning" / "scratch.py", appended):
        plan = planned(finished_run, "--configfile", TINY)
    assert plan == {"fit_episodes": 1, "score_fewshot": 1, "render_report": 1}


def test_adding_a_method_runs_only_its_jobs(finished_run):
    def add(config):
        config["fewshot"]["methods"].append("nearest_centroid@genes")

    assert changed_config(finished_run, add) == {"fit_episodes": 1, "score_fewshot": 1, "render_report": 1}


def test_adding_a_shot_count_or_a_task_runs_only_its_cells(finished_run):
    def add(config):
        config["fewshot"]["tasks"]["tissue"]["shots"].append(2)
        config["fewshot"]["tasks"]["loso"] = config["fewshot"]["tasks"]["tissue"] | {
            "protocol": "leave_one_study_out",
            "shots": [1],
            "ways": ["all"],
        }

    plan = changed_config(finished_run, add)
    assert plan == {"plan_episodes": 2, "fit_episodes": 8, "score_fewshot": 1, "render_report": 1}


def test_another_seed_in_the_comparison_needs_its_guides_and_the_fits_that_see_the_network(finished_run):
    def add(config):
        config["fewshot"]["seeds"] = 2

    plan = changed_config(finished_run, add)
    expected = {"plan_scouts": 1, "train_scouts": 1, "compute_guide": 1, "fit_episodes": 3, "score_fewshot": 1}
    assert plan == expected | {"render_report": 1}  # logistic@pca never sees the network


def test_adding_registry_files_reruns_nothing(finished_run):
    entries = ["fewshot/fine_tuning/scratch", "fewshot/fine_tuning/guided", "fewshot/classifiers/knn"]
    entries += ["fewshot/features/genes", "selection/selectors/reach", "selection/reaches/usage", "guide/meta/aruba"]
    added = [finished_run / PACKAGE / f"{entry}_another.py" for entry in entries]
    for path, entry in zip(added, entries, strict=True):
        path.write_text((finished_run / PACKAGE / f"{entry}.py").read_text())
    try:
        assert rules(finished_run) == set()
    finally:
        for path in added:
            path.unlink()


@pytest.mark.parametrize(("name", "expected"), [("labels", False), ("masked_expression", True)])
def test_edit_of_an_objective_reruns_the_bases_that_name_it(finished_run, name, expected):
    with edited(finished_run / PACKAGE / "pretrain" / "objectives" / f"{name}.py", appended):
        assert ("pretrain" in rules(finished_run)) == expected


def test_another_seed_of_a_base_is_trained_and_compared_and_nothing_else(finished_run):
    def add(config):
        config["pretrain"]["bases"]["mlp"]["further_seeds"].append(3)

    assert changed_config(finished_run, add) == {"pretrain": 1, "compare_embeddings": 1, "render_report": 1}


def test_adding_a_selector_runs_only_its_jobs(finished_run):
    def add(config):
        config["selection"]["selectors"]["degree"] = ["degree"]

    plan = changed_config(finished_run, add)
    assert plan == dict.fromkeys(SELECTION, 1) | {"fit_selection": 2}


@pytest.mark.parametrize(
    ("change", "first", "never"),
    [
        (lambda c: c["guide"]["schemes"]["cluster_pairs"].update(scouts=5), "plan_scouts", "pretrain"),
        (lambda c: c["pretrain"]["bases"]["mlp"].update(steps=41), "pretrain", "merge_corpus"),
        (lambda c: c["selection"].update(random_draws=3), "rank_perturbations", "prepare_screen"),
        (lambda c: c["fewshot"].update(episodes=5), "plan_episodes", "pretrain"),
        # What only the counts can tell asks for no other file; what metadata tell may.
        (lambda c: c["corpus"].update(runs={"max_zero_fraction": 0.6}), "build_shard", "fetch_batch"),
        (lambda c: c["corpus"].update(runs={"min_mapped_reads": 10}), "fetch_batch", "list_studies"),
        (lambda c: c["archive"].update(excluded_studies=["GSE1"]), "list_studies", "fetch_annotation"),
    ],
    ids=["scouts", "steps", "draws", "episodes", "zeros", "mapped_reads", "excluded"],
)
def test_a_parameter_reruns_its_step_but_nothing_before(finished_run, change, first, never):
    plan = changed_config(finished_run, change)
    assert first in plan
    assert never not in plan


def test_reordered_keys_rerun_nothing(finished_run):
    assert changed_config(finished_run, lambda config: None) == {}


def test_a_deleted_report_is_rendered_again_and_nothing_else(finished_run):
    path = finished_run / "results/tiny/report.html"
    page, stat = path.read_bytes(), path.stat()
    path.unlink()
    try:
        assert rules(finished_run) == {"render_report"}
    finally:
        path.write_bytes(page)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_regenerated_archive_is_read_again(finished_run):
    """Snakemake dates a folder by the time stamp that it writes there after the job that made it."""
    stamp = finished_run / "results/tiny/demo/archive/.snakemake_timestamp"
    before = stamp.stat()
    os.utime(stamp)
    try:
        planned_rules = rules(finished_run)
    finally:
        os.utime(stamp, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert {"fetch_annotation", "list_studies", "fetch_batch"} <= planned_rules
    assert not planned_rules & {"generate_demo", "prepare_screen", "normalise_cells"}
