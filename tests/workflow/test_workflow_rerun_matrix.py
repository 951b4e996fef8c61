"""What reruns after each kind of change, rule by rule. Oracles: the flow of data written down by hand; real imports."""

import ast
import json
import subprocess
import sys

import pytest
import yaml
from helpers import REPOSITORY, environment, planned
from scarceseq.fingerprint import source_files
from test_workflow_reruns import TINY, appended, changed_config, edited, rules

SCRIPTS = REPOSITORY / "workflow/scripts"
# Who reads what a rule writes, in the run of tests/config/tiny.yaml. Of its two graphs, that of the corpus
# (coexpression, by the rule build_graph) is shown in the report and used nowhere.
READERS = {
    "generate_demo": "fetch_annotation list_studies fetch_batch normalise_cells build_graph",
    "fetch_annotation": "fetch_batch build_shard",
    "list_studies": "fetch_batch build_shard merge_corpus render_report",
    "fetch_batch": "build_shard merge_corpus render_report",
    "build_shard": "merge_corpus",
    "merge_corpus": "split_studies pretrain embed compare_embeddings plan_scouts train_scouts compute_guide "
    "plan_episodes fit_episodes coexpression build_embedding render_report",
    "split_studies": "pretrain embed compare_embeddings plan_scouts train_scouts plan_episodes fit_episodes "
    "coexpression build_embedding render_report",
    "pretrain": "embed embed_genes compare_embeddings plan_scouts train_scouts compute_guide fit_episodes "
    "render_report",
    "embed": "render_report",
    "embed_genes": "build_embedding render_report",
    "compare_embeddings": "render_report",
    "plan_scouts": "train_scouts compute_guide",
    "train_scouts": "compute_guide",
    "compute_guide": "fit_episodes render_report",
    "plan_episodes": "fit_episodes score_fewshot",
    "fit_episodes": "score_fewshot",
    "score_fewshot": "render_report",
    "normalise_cells": "prepare_screen fit_predictors transfer_screen",
    "prepare_screen": "calibrate_metrics fit_predictors score_predictors transfer_screen rank_perturbations "
    "select_in_rounds fit_selection describe_selection render_report",
    "build_graph": "calibrate_metrics fit_predictors transfer_screen rank_perturbations select_in_rounds fit_selection "
    "describe_selection render_report",
    "coexpression": "render_report",
    "build_embedding": "fit_predictors",
    "calibrate_metrics": "score_predictors",
    "fit_predictors": "score_predictors",
    "score_predictors": "render_report",
    "transfer_screen": "score_transfer",
    "score_transfer": "render_report",
    "rank_perturbations": "fit_selection describe_selection",
    "select_in_rounds": "fit_selection describe_selection",
    "fit_selection": "score_selection",
    "describe_selection": "render_report",
    "score_selection": "render_report",
    "render_report": "",
}
# Of rules that the tiny run has none of, with what they would need.
ABSENT = {
    "import_study",
    "meta_train",
    "pack_model",
    "fetch_screen",
    "design_screen",
    "plan_cells",
    "predict_screen",
    "score_interactions",
    "score_predictions",
    "unpack_model",
    "import_own_study",
    "check_own_study",
    "compare_own_study",
    "choose_own_study",
    "permute_own_study",
    "extend_own_study",
    "predict_own_study",
    "explain_own_study",
}
QUICK = ["fetch_batch", "score_selection"]


def follows(*first):
    """Rules that run when these do."""
    found, waiting = set(), list(first)
    while waiting:
        rule = waiting.pop()
        if rule not in found:
            found.add(rule)
            waiting += READERS[rule].split()
    return {"build_graph" if rule == "coexpression" else rule for rule in found}


def test_every_rule_is_in_the_table_or_known_to_be_absent():
    assert follows(*READERS) | ABSENT == {path.stem for path in SCRIPTS.glob("*.py")}


@pytest.mark.parametrize("rule", QUICK)
def test_an_edited_script_reruns_its_rule_and_its_readers(finished_run, rule):
    with edited(finished_run / f"workflow/scripts/{rule}.py", appended):
        assert rules(finished_run) == follows(rule)


@pytest.mark.slow
@pytest.mark.parametrize("rule", sorted(follows(*READERS) - set(QUICK)))
def test_every_edited_script_reruns_its_rule_and_its_readers(finished_run, rule):
    with edited(finished_run / f"workflow/scripts/{rule}.py", appended):
        assert rules(finished_run) == follows(rule)


IMPORT = """
import ast, json, sys
from pathlib import Path
found = {}
for path in map(Path, sys.argv[1:]):
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    exec(compile(tree, str(path), "exec"), {})
    found[path.stem] = sorted(name for name in sys.modules if name.split(".")[0] == "scarceseq")
    for name in found[path.stem]:
        del sys.modules[name]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def imported():
    """Modules of the package that each script has imported before its first own line runs, as Python tells."""
    paths = sorted(SCRIPTS.glob("*.py"))
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, *map(str, paths)],
        env=environment() | {"PYTHONPATH": str(SCRIPTS)},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def modules_of(rule):
    """Modules that an edit of reruns the rule's jobs, all registry entries counted."""
    files = source_files(SCRIPTS / f"{rule}.py", {})
    names = (".".join(path.relative_to(SCRIPTS).with_suffix("").parts) for path in files if path.suffix == ".py")
    return {name.removesuffix(".__init__") for name in names} - {rule}


def test_an_edit_of_any_module_that_a_script_imports_reruns_its_rule(imported):
    missed = {rule: sorted(set(names) - modules_of(rule)) for rule, names in imported.items()}
    assert {rule: names for rule, names in missed.items() if names} == {}


def test_the_code_of_a_design_has_no_other_section_of_the_report():
    sections = {"archive", "corpus", "fewshot", "guide", "network", "own_study", "perturbation", "pretrain", "screen"}
    sections |= {"selection", "resources", "overview", "sections"}
    modules = {f"scarceseq.report.{name}" for name in sections}
    assert modules <= modules_of("render_report")
    assert not modules & modules_of("design_screen")
    rooms = {name.split(".")[1] for name in modules_of("design_screen") if "." in name}
    assert not rooms & {"archive", "corpus", "pretrain", "guide", "fewshot", "own_study", "screen"}


def late_imports(name):
    """Modules that a module names in an import inside a function, or behind a `try`."""
    path = SCRIPTS.joinpath(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in tree.body and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def test_an_edit_of_any_other_module_reruns_nothing_but_for_late_imports_and_registries(imported):
    """What the hash holds beyond the real imports is imported later, by a function or through a registry."""
    package = SCRIPTS / "scarceseq"
    registries = {
        ".".join(path.parent.relative_to(SCRIPTS).parts)
        for path in package.rglob("__init__.py")
        if path.parent != package
    }
    entries = {name for name in registries if name.count(".") == 2}
    unexplained = {}
    for rule, names in imported.items():
        extra, known = modules_of(rule) - set(names), set(names)
        start = {name for name in extra if ".".join(name.split(".")[:-1]) in entries or name in entries}
        reached, waiting = set(known), list(start) + [m for name in known for m in late_imports(name)]
        while waiting:
            name = waiting.pop()
            if name in reached or not name.startswith("scarceseq"):
                continue
            reached.add(name)
            if name in extra:
                waiting += all_imports(name)
            waiting.append(name.rpartition(".")[0])
        unexplained[rule] = sorted(extra - reached)
    assert {rule: names for rule, names in unexplained.items() if names} == {}


def all_imports(name):
    path = SCRIPTS.joinpath(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def add_study(config):
    config["user_studies"] = [
        {"name": "mine", "counts": "counts.tsv", "gene_id_type": "ensembl", "min_protein_coding_share": 0}
    ]


# A change of each class of parameter: what it changes, and the rules that run, all that read them included.
CHANGES = {
    "budget": (lambda c: c["selection"].update(budgets=[50, 80, 100]), follows("fit_selection", "describe_selection")),
    "predictor": (
        lambda c: c["selection"]["predictors"].append("control"),
        {"fit_selection", "score_selection", "render_report"},
    ),
    "selection_seed": (lambda c: c["selection"].update(random_draws=3), follows("rank_perturbations")),
    "screen_splits": (lambda c: c["screens"]["demo"].update(splits=3), follows("normalise_cells")),
    "confidence": (lambda c: c["fewshot"].update(scoring={"confidence": 0.9}), follows("score_fewshot")),
    "fitting": (lambda c: c["fewshot"]["fitting"].update(steps=[20, 40]), follows("fit_episodes")),
    "guide": (lambda c: c["guide"]["schemes"]["cluster_pairs"].update(temperature="warm"), follows("compute_guide")),
    "episodes": (lambda c: c["fewshot"].update(episodes=5), follows("plan_episodes")),
    "graph": (lambda c: c["network"]["graphs"]["coexpression"].update(top_k=7), follows("coexpression")),
    "embedding": (lambda c: c["network"]["embeddings"]["corpus"].update(components=9), follows("build_embedding")),
    "splits": (
        lambda c: c["corpus"]["splits"]["default"].update(
            shares={"pretrain": 0.5, "scout": 0.1, "validation": 0.1, "test": 0.3}
        ),
        follows("split_studies"),
    ),
    "base": (lambda c: c["pretrain"]["bases"]["mlp"].update(steps=41), follows("pretrain")),
    "genes": (lambda c: c["corpus"].update(gene_types=["protein_coding", "lncRNA"]), follows("merge_corpus")),
    "study": (add_study, follows("merge_corpus") | {"import_study"}),
    "report": (lambda c: c.update(report={}), set()),
}
QUICK_CHANGES = ["budget", "confidence", "graph", "study"]


@pytest.mark.parametrize("name", QUICK_CHANGES)
def test_a_changed_parameter_reruns_what_reads_it(finished_run, name):
    (finished_run / "counts.tsv").write_text("gene\ts1\nG1\t1\n")
    change, expected = CHANGES[name]
    assert set(changed_config(finished_run, change)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(CHANGES) - set(QUICK_CHANGES)))
def test_every_changed_parameter_reruns_what_reads_it(finished_run, name):
    change, expected = CHANGES[name]
    assert set(changed_config(finished_run, change)) == expected


def test_a_changed_seed_reruns_all_that_draws(finished_run):
    plan = set(changed_config(finished_run, lambda config: config.update(seed=8)))
    assert plan == follows(*READERS)


@pytest.mark.slow
def test_touched_outputs_of_each_stage_are_known_by_their_content(finished_run):
    """Up to a megabyte, content counts and not the time; what is larger is taken for changed."""
    small = [path for path in (finished_run / "results/tiny").rglob("*.*") if path.is_file()]
    small = [path for path in small if path.stat().st_size < 900_000 and "demo/archive" not in path.as_posix()]
    assert len(small) > 60
    for path in small:
        path.touch()
    assert yaml.safe_load((finished_run / TINY).read_text())["name"] == "tiny"
    assert planned(finished_run, "--configfile", TINY) == {}
