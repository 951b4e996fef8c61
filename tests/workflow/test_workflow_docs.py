"""Every command of the README and of docs/ is known here, and run or planned. Oracle: its exit status."""

import importlib.util
import json
import re
import shlex

import pytest
import yaml
from helpers import REPOSITORY, snakemake

DATA = "data=PATH"
# What is planned with `-n` instead of run, since it takes over five minutes or other tests run it.
PLANNED = "snakemake"
# Run by other tests, or by whoever runs these: `make test` would run itself.
ELSEWHERE = {"make run", "make test", "make test-slow", "make bench", "make docs"}
INSTALL = r"\.venv/bin/pip install -r (\S+)"


def commands():
    """(page, command) of each line of the fenced blocks of shell commands; a line that ends in a backslash goes on."""
    for page in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            for line in block.replace("\\\n", " ").splitlines():
                text = re.sub(r"\s+#.*", "", line).strip()
                if text and not text.startswith("#"):
                    yield page.relative_to(REPOSITORY).as_posix(), text


def arguments(text):
    """What a documented command gives to Snakemake."""
    return shlex.split(text.removeprefix(".venv/bin/"))[1:]


SNAKEMAKE = [
    pytest.param(text, id=f"{page}: {text}")
    for page, text in commands()
    if text.removeprefix(".venv/bin/").startswith(PLANNED)
]


def test_every_documented_command_is_a_make_target_an_installation_or_of_snakemake():
    others = {text for _, text in commands() if not text.removeprefix(".venv/bin/").startswith(PLANNED)}
    installed = {text for text in others if re.fullmatch(INSTALL, text)}
    assert all((REPOSITORY / re.fullmatch(INSTALL, text)[1]).is_file() for text in installed)
    others -= installed
    assert {re.sub(r" [A-Z]+=\S+", "", text) for text in others} <= ELSEWHERE
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert {text.split()[1] for text in others} <= targets


@pytest.mark.parametrize("text", SNAKEMAKE)
def test_a_documented_command_of_snakemake_can_be_planned(repository_copy, request, text):
    if "profiles/slurm" in text and not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("the plugin for SLURM is not installed; the test on a cluster of one machine installs it")
    if DATA in text:
        text = text.replace(DATA, f"data={request.getfixturevalue('shared_data')}")
    assert "Job stats" in snakemake(repository_copy, *arguments(text), "-n").stdout


def test_every_file_that_shipped_configs_read_is_documented():
    told = (REPOSITORY / "docs/data.md").read_text()
    for config in sorted(set(REPOSITORY.glob("config/*.yaml")) - {REPOSITORY / "config/genelab.yaml"}):
        for path in re.findall(r"\{data\}/([^\"\s]+)", config.read_text()):
            folder, _, name = path.rpartition("/")
            assert f"`{path}`" in told or (f"`{folder}/`" in told and f"`{name}`" in told), f"{config.name}: {path}"


MOST_WORDS, MOST_LINES = 600, 120
# Pages to look something up in; the folder of measurements is apart too.
REFERENCES = {"decisions", "extending", "methods", "planning", "protocol", "recount3", "troubleshooting"}


def words_of(page):
    """Words of a page that a reader reads: without tables and blocks of commands."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return len(re.sub(r"^\|.*$", "", text, flags=re.MULTILINE).split())


@pytest.mark.parametrize("page", sorted((REPOSITORY / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_a_page_to_read_is_short(page):
    if page.stem not in REFERENCES:
        assert words_of(page) < MOST_WORDS


def test_the_readme_is_short_and_its_picture_and_links_are_there():
    text = (REPOSITORY / "README.md").read_text()
    assert len(text.splitlines()) < MOST_LINES
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)}
    assert "docs/first_screen.png" in linked
    assert [link for link in sorted(linked) if not (REPOSITORY / link).exists()] == []


@pytest.mark.parametrize("page", sorted((REPOSITORY / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page):
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())}
    inside = {link for link in linked if link and "://" not in link}
    assert [link for link in sorted(inside) if not (page.parent / link).exists()] == []


CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()


def test_the_map_of_rooms_lists_every_room_once():
    package = REPOSITORY / "workflow/scripts/scarceseq"
    rooms = sorted(path.parent.name for path in package.glob("*/__init__.py"))
    assert sorted(re.findall(r"^\| `(\w+)/`", CONTRIBUTING, re.MULTILINE)) == rooms


def test_files_and_make_targets_that_contributing_names_are_there():
    paths = set(re.findall(r"(?:tests|rules|workflow|docs|config|benchmarks)/[\w/.]*\w", CONTRIBUTING))
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (REPOSITORY / path).exists()] == []
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", CONTRIBUTING)) <= targets


def test_the_workflow_on_github_calls_the_two_commands_on_configs_that_need_no_data():
    jobs = yaml.safe_load((REPOSITORY / ".github/workflows/test.yaml").read_text())["jobs"]
    calls = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert calls == {"test": ["make test"], "report": ["make run CONFIG=config/${{ matrix.config }}.yaml"]}
    for name in jobs["report"]["strategy"]["matrix"]["config"]:
        config = yaml.safe_load((REPOSITORY / f"config/{name}.yaml").read_text())
        assert config["name"] == name
        assert "demo" in config
        assert "{data}" not in json.dumps(config)


@pytest.mark.slow
def test_the_tutorial_runs_from_clone_to_figure_on_a_real_study(repository_copy, shared_data):
    """Its commands that need no demo, one after the other; the demo's own are those of the end-to-end tests."""
    texts = [text for page, text in commands() if page == "docs/tutorial.md" and DATA in text]
    assert len(texts) == 1
    for text in texts:
        snakemake(repository_copy, *arguments(text.replace(DATA, f"data={shared_data}")), fresh=True)
    page = (repository_copy / "results/my_study/report.html").read_text()
    assert "Your study" in page
    lines = (REPOSITORY / "docs/tutorial.md").read_text().split("## 4.")[1].splitlines()
    listed = "\n".join(line for line in lines if "with `own_study." not in line)  # a key that the study does not give
    for name in re.findall(r"`(\w+\.(?:tsv|json|parquet))`", listed):
        assert (repository_copy / "results/my_study/own_study" / name).is_file(), name
