"""Rules of the house that a machine can check."""

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
import yaml
from helpers import REPOSITORY, planned
from scarceseq.config import table as config_table
from snakemake.cli import get_argument_parser

SCRIPTS = REPOSITORY / "workflow/scripts"
PACKAGE = SCRIPTS / "scarceseq"
# The order in which data flows; the network can come from the corpus.
ROOMS = [
    "statistics",
    *("demo", "archive", "corpus", "pretrain", "guide", "fewshot", "own_study"),
    *("network", "screen", "perturbation", "selection", "prediction", "design", "report"),
]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_room_imports_a_later_one():
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).parts
        for name in imported(path):
            words = name.split(".")
            if words[0] == "scarceseq" and len(words) > 1 and words[1] in ROOMS:
                own = ROOMS.index(parts[0]) if parts[0] in ROOMS else -1
                if parts[0] == "config" and words[2] in ("settings", "check"):
                    continue  # the config is put together from the keys of all rooms
                if ROOMS.index(words[1]) > own:
                    wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert wrong == []


def test_settings_are_made_of_whole_sections_so_that_no_job_depends_on_a_default_that_its_hash_leaves_out():
    keys, wrong = {}, []
    for path in sorted(PACKAGE.rglob("settings.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                fields = [each.target.id for each in node.body if isinstance(each, ast.AnnAssign)]
                inherited = [name for base in node.bases for name in keys.get(base.id, [])]
                keys[node.name] = list(dict.fromkeys([*inherited, *fields]))
    assert len(keys) > 40
    for path in SCRIPTS.rglob("*.py"):
        tree = ast.parse(path.read_text())
        names = {name.rpartition(".")[2] for name in imported(path) if ".settings." in name}
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in names & set(keys):
                given = {keyword.arg for keyword in call.keywords}
                left_out = set(keys[call.func.id][len(call.args) :]) - given
                if left_out and None not in given:
                    wrong.append(f"{path.name}, line {call.lineno}: {call.func.id} without {sorted(left_out)}")
    assert wrong == []


def test_the_package_never_imports_snakemake():
    assert [path for path in PACKAGE.rglob("*.py") if any(n.split(".")[0] == "snakemake" for n in imported(path))] == []


def rules():
    """(rule file, rule name, text) of every rule."""
    for path in sorted((REPOSITORY / "rules").glob("*.smk")):
        for block in re.split(r"^(?=rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            yield path, re.match(r"rule (\w+):", block)[1], block


@pytest.mark.parametrize(("name", "text"), [pytest.param(name, text, id=name) for _, name, text in rules()])
def test_each_rule_has_one_script_of_its_name_a_log_a_benchmark_and_a_message(name, text):
    assert f'script:\n        "../workflow/scripts/{name}.py"' in text
    assert (SCRIPTS / f"{name}.py").exists()
    assert f'"<results>/logs/{name}/' in text
    assert f'"<results>/benchmarks/{name}/' in text
    assert "message:" in text


def test_no_script_is_left_without_a_rule():
    assert {path.stem for path in SCRIPTS.glob("*.py")} == {name for _, name, _ in rules()}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    declared = {pin.split("==")[0].lower() for pin in project["dependencies"]}
    names = {name.split(".")[0] for path in SCRIPTS.rglob("*.py") for name in imported(path)}
    called = packages_distributions()
    found = {called[name][0].lower() for name in names - set(sys.stdlib_module_names) - {"scarceseq"}}
    parts = {"llvmlite", "markupsafe", "threadpoolctl"}  # of numba, jinja2 and scikit-learn
    assert found - parts == declared - {"snakemake"}


def test_conda_environment_has_the_pins_of_pyproject():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    pins = {pin for pin in project["dependencies"] if not pin.startswith("snakemake")}
    conda = yaml.safe_load((REPOSITORY / "envs/scarceseq.yaml").read_text())
    assert set(conda["dependencies"][-1]["pip"]) == pins


def normalised(pin):
    """Name and version of a pin as package indexes write them."""
    name, version = pin.split("==")
    return f"{re.sub(r'[-_.]+', '-', name.lower())}=={version}"


def test_the_lock_holds_every_pin_with_hashes_and_torch_stands_apart():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    pins = {normalised(pin) for pin in project["dependencies"] + project["optional-dependencies"]["test"]}
    entries = re.split(r"\n(?=\w)", re.sub(r"^#.*\n", "", (REPOSITORY / "envs/lock.txt").read_text(), flags=re.M))
    hashes = {normalised(entry.split()[0]): re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry) for entry in entries}
    assert [name for name, listed in hashes.items() if not listed] == []
    apart = {line for line in (REPOSITORY / "envs/torch.txt").read_text().splitlines() if line[0] != "#"}
    assert pins - hashes.keys() == apart
    assert {pin.split("==")[0] for pin in apart} == {"torch"}


def test_whatever_installs_the_lock_has_its_hashes_checked():
    for name in ("Makefile", "envs/Containerfile"):
        lines = [line for line in (REPOSITORY / name).read_text().splitlines() if "--requirement envs/lock.txt" in line]
        assert lines, name
        assert [line for line in lines if "--require-hashes" not in line] == []


def test_the_peers_of_the_benchmarks_are_pinned_twice_alike():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    lines = (REPOSITORY / "envs/peers.txt").read_text().splitlines()
    assert [line for line in lines if line[0] != "#"] == project["optional-dependencies"]["peers"]


def test_the_table_of_keys_is_up_to_date():
    assert (REPOSITORY / "config/README.md").read_text() == config_table.document()


def test_the_schema_for_editors_is_up_to_date():
    text = (REPOSITORY / "workflow/schemas/config.schema.json").read_text()
    assert text == config_table.editors_schema()
    assert json.loads(text) == config_table.schema()


@pytest.mark.parametrize("path", sorted((REPOSITORY / "config").glob("*.yaml")), ids=lambda path: path.stem)
def test_each_config_names_the_schema_for_editors(path):
    line = path.read_text().splitlines()[0]
    name = re.fullmatch(r"# yaml-language-server: \$schema=(.+)", line)
    assert name, "the first line of a config says where its schema is"
    assert (path.parent / name[1]).resolve() == REPOSITORY / "workflow/schemas/config.schema.json"


def test_the_catalogue_shim_plans_the_same_jobs(repository_copy):
    assert planned(repository_copy, "-s", "workflow/Snakefile") == planned(repository_copy)


def test_the_readme_lists_every_rule_under_its_stage():
    listed = dict(re.findall(r"^\| (\w+) \| ((?:`\w+` ?)+)\|", (REPOSITORY / "README.md").read_text(), re.MULTILINE))
    stages = {}
    for path, name, _ in rules():
        stages.setdefault(path.stem, set()).add(name)
    assert {stage: set(re.findall(r"\w+", names)) for stage, names in listed.items()} == stages


def test_keys_named_in_the_page_on_extending_are_in_the_table_of_keys():
    text = (REPOSITORY / "docs/extending.md").read_text()
    keys = [key for key in re.findall(r"\| `([a-z]+\.[\w.<>]+)`(?: \||: )", text) if not key.endswith(".py")]
    table = (REPOSITORY / "config/README.md").read_text()
    assert len(keys) > 5
    assert [key for key in keys if f"| `{key}` |" not in table] == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "profiles").glob("*/*.yaml")), ids=lambda path: path.parent.name)
def test_a_profile_names_options_of_snakemake_and_rules_that_are_there(path):
    profile = yaml.safe_load(path.read_text())
    options = {option for action in get_argument_parser()._actions for option in action.option_strings}
    assert {f"--{key}" for key in profile} <= options
    names = {name for _, name, _ in rules()}
    assert {*profile.get("set-resources", {}), *profile.get("groups", {})} <= names
    assert set(profile.get("group-components", {})) <= set(profile.get("groups", {}).values())


# Stages by the name of their rule file; their config section, if it has another name.
STAGES = sorted(path.stem for path in (REPOSITORY / "rules").glob("*.smk") if path.stem not in ("common", "machinery"))
SECTIONS = {"screen": "screens"}
SHARED_ROOMS = {"statistics", "config"}
SHARED_MODULES = {
    "gene_sets",
    "safe_text",
    "files",
    "errors",
    "seeds",
    "device",
    "runtime",
    "registry",
    "fingerprint",
    "progress",
}
# What is checked where it enters, whatever room reads it; `user_*` are the tables of users, `joins` the names in them.
GATES = {"checks", "joins", "keys", "seals"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_a_section_results_a_room_and_tests_of_its_name(stage):
    section = SECTIONS.get(stage, stage)
    assert re.search(rf"^\| `{section}[.`]", (REPOSITORY / "config/README.md").read_text(), re.MULTILINE)
    text = (REPOSITORY / f"rules/{stage}.smk").read_text()
    assert f'"<results>/{stage}/' in text or stage == "report"  # its page lies at the top of the results
    assert (PACKAGE / stage / "__init__.py").exists()
    assert list((REPOSITORY / "tests/unit" / stage).glob("test_*.py"))


def test_rooms_are_the_stages_and_two_shared_ones():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == {*STAGES, *SHARED_ROOMS}
    assert set(ROOMS) == rooms - {"config"}
    assert {path.name for path in (REPOSITORY / "tests/unit").iterdir() if path.is_dir()} >= {*STAGES, "top"}


def test_the_top_of_the_package_holds_what_all_rooms_share():
    modules = {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("user_")} - {"__init__"}
    assert modules >= SHARED_MODULES
    assert modules - SHARED_MODULES - GATES == set()


def test_what_a_room_takes_from_the_config_room_knows_no_room():
    """The config is put together from all rooms, so that no room may import more than what stands alone there."""
    alone = {
        path.stem
        for path in (PACKAGE / "config").glob("*.py")
        if not any(name.split(".")[1:2] and name.split(".")[1] in ROOMS for name in imported(path))
    }
    wrong = []
    for room in ROOMS:
        for path in (PACKAGE / room).rglob("*.py"):
            words = [name.split(".") for name in imported(path) if name.startswith("scarceseq.config.")]
            wrong += [f"{path.relative_to(PACKAGE)}: {'.'.join(name)}" for name in words if name[2] not in alone]
    assert wrong == []


# Still longer than allowed; to be emptied.
LONG_FUNCTIONS = {"archive/parsing.py parse_rows"}  # a state machine that numba compiles as one
LONG_MODULES = {"fewshot/engine/loop.py", "perturbation/transfer.py"}


def lines(node):
    """Lines of a definition without its docstring."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return node.end_lineno - node.lineno + 1 - (first.end_lineno - first.lineno + 1 if documented else 0)


def test_functions_modules_and_scripts_are_short():
    functions, modules = set(), set()
    for path in PACKAGE.rglob("*.py"):
        name, text = path.relative_to(PACKAGE).as_posix(), path.read_text()
        nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
        functions |= {f"{name} {node.name}" for node in nodes if lines(node) > 60}
        modules |= {name} if text.count("\n") > 300 else set()
    assert functions - LONG_FUNCTIONS == set()
    assert modules - LONG_MODULES == set()
    scripts = {path.name: path.read_text().count("\n") for path in SCRIPTS.glob("*.py")}
    assert {name: size for name, size in scripts.items() if size > 80} == {}
    assert (REPOSITORY / "rules/common.smk").read_text().count("\n") < 150


def test_no_two_modules_of_a_room_differ_by_an_s():
    twins = []
    for room in ROOMS:
        names = {path.stem for path in (PACKAGE / room).rglob("*.py")}
        twins += [f"{room}: {name}" for name in names if f"{name}s" in names]
    assert twins == []


def test_no_script_takes_a_path_apart_for_its_names():
    apart = re.compile(r"\.parts\[|\.parents?\.name|\.parents\[|\.stem\b")
    assert [path.name for path in SCRIPTS.glob("*.py") if apart.search(path.read_text())] == []


def test_the_least_version_of_snakemake_is_the_pinned_one():
    pins = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    (pinned,) = [pin.split("==")[1] for pin in pins if pin.startswith("snakemake==")]
    assert f'min_version("{pinned}")' in (REPOSITORY / "Snakefile").read_text()
