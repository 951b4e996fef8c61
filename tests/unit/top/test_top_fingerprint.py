"""The code hash follows imports and registries."""

import json
import os
import subprocess
import sys

import pytest
from scarceseq.fingerprint import fingerprint, source_files


@pytest.fixture
def scripts(tmp_path):
    files = {
        "run.py": '"""Doc."""\nfrom scarceseq.room import work\n\nwork.go()\n',
        "scarceseq/__init__.py": "",
        "scarceseq/shared.py": "VALUE = 1\n",
        "scarceseq/unrelated.py": "VALUE = 1\n",
        "scarceseq/registry.py": "def load(registry, name): ...\n",
        "scarceseq/room/__init__.py": "",
        "scarceseq/room/work.py": (
            "from scarceseq import registry, shared\n\n"
            "def go(name='one'):\n    return registry.load('room.entries', name)\n"
        ),
        "scarceseq/room/entries/__init__.py": "",
        "scarceseq/room/entries/one.py": "from scarceseq.room import deep\n",
        "scarceseq/room/entries/two.py": "X = 2\n",
        "scarceseq/room/deep.py": "Y = 1\n",
        "scarceseq/room/page.j2": "<p>",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


ONE = {"room.entries": ["one"]}


REACHED = ["run.py", *(f"scarceseq/{name}.py" for name in ("shared", "room/work", "room/entries/one", "room/deep"))]


@pytest.mark.parametrize("name", REACHED)
def test_an_edit_of_anything_reached_changes_the_hash(scripts, name):
    before = fingerprint(scripts / "run.py", ONE)
    (scripts / name).write_text((scripts / name).read_text() + "\nADDED = 1\n")
    assert fingerprint(scripts / "run.py", ONE) != before


@pytest.mark.parametrize("name", ["scarceseq/unrelated.py", "scarceseq/room/entries/two.py"])
def test_an_edit_of_anything_else_does_not(scripts, name):
    before = fingerprint(scripts / "run.py", ONE)
    (scripts / name).write_text("ADDED = 1\n")
    assert fingerprint(scripts / "run.py", ONE) == before


def test_a_registry_without_named_entries_counts_whole(scripts):
    before = fingerprint(scripts / "run.py")
    (scripts / "scarceseq/room/entries/two.py").write_text("ADDED = 1\n")
    assert fingerprint(scripts / "run.py") != before


def test_comments_docstrings_and_layout_do_not_count(scripts):
    before = fingerprint(scripts / "run.py", ONE)
    (scripts / "run.py").write_text('"""Other words."""\n# remark\nfrom scarceseq.room import work\nwork.go()\n')
    assert fingerprint(scripts / "run.py", ONE) == before


SETTINGS = """
from dataclasses import dataclass
from scarceseq.shared import Count
LIMIT = 3

@dataclass(frozen=True)
class Settings:
    '''Which steps.'''
    steps: Count = 5
    '''Steps.'''
    threads: int = 1

    @property
    def twice(self):
        return 2 * self.steps
"""


@pytest.mark.parametrize(
    ("edit", "counts"),
    [
        (("Steps.", "Number of steps."), False),
        (("= 5", "= 6"), False),
        (("    threads", "    depth: Count = 2\n    '''Depth.'''\n    threads"), False),
        (("import Count", "import Count, Share"), False),
        (("@dataclass", "@dataclass\nclass Other:\n    width: int = 1\n    '''Width.'''\n\n\n@dataclass"), False),
        (("threads: int = 1", "threads: int = 2"), True),
        (("2 * self", "3 * self"), True),
        (("LIMIT = 3", "LIMIT = 4"), True),
    ],
)
def test_config_keys_come_by_parameters_and_other_code_of_settings_counts(scripts, edit, counts):
    deep, settings = scripts / "scarceseq/room/deep.py", scripts / "scarceseq/room/settings.py"
    deep.write_text("from scarceseq.room.settings import Settings\n")
    settings.write_text(SETTINGS)
    before = fingerprint(scripts / "run.py", ONE)
    assert edit[0] in SETTINGS
    settings.write_text(SETTINGS.replace(*edit))
    assert (fingerprint(scripts / "run.py", ONE) != before) is counts


def test_annotations_do_not_count(scripts):
    before = fingerprint(scripts / "run.py", ONE)
    work = scripts / "scarceseq/room/work.py"
    work.write_text(work.read_text().replace("def go(name='one'):", "def go(name: str='one') -> None:"))
    assert fingerprint(scripts / "run.py", ONE) == before


def test_a_template_beside_a_module_counts(scripts):
    before = fingerprint(scripts / "run.py", ONE)
    (scripts / "scarceseq/room/page.j2").write_text("<div>")
    assert fingerprint(scripts / "run.py", ONE) != before


def test_a_registry_name_that_is_not_literal_is_refused(scripts):
    (scripts / "run.py").write_text("from scarceseq import registry\nname = 'x'\nregistry.load(name, 'one')\n")
    with pytest.raises(ValueError, match="literal string"):
        fingerprint(scripts / "run.py")


def test_the_real_guide_module_is_reached_from_the_guide_script_only():
    from pathlib import Path

    import scarceseq

    folder = Path(scarceseq.__file__).parents[1]
    guides = folder / "scarceseq/guide/guides.py"
    assert guides in source_files(folder / "compute_guide.py", {})
    assert guides not in source_files(folder / "merge_corpus.py", {})


PLAN = "import sys; from pathlib import Path; from scarceseq.fingerprint import fingerprint; " + (
    "print(fingerprint(Path(sys.argv[1]), {'room.entries': ['one']}))"
)


def plan(scripts, cache):
    """Hash as a process of its own computes it, with a folder for what it keeps."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PLAN, str(scripts / "run.py")]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("content", [None, "{", "[]", '{"a": 1}', "\0"])
def test_what_an_earlier_planning_kept_changes_no_hash(scripts, tmp_path, content):
    cache = tmp_path / "cache"
    expected = plan(scripts, "/dev/null")  # where nothing can be kept
    if content is not None:
        (cache / "scarceseq").mkdir(parents=True)
        (cache / "scarceseq/parsed.json").write_text(content)
    assert [plan(scripts, cache), plan(scripts, cache)] == [expected, expected]
    assert len(json.loads((cache / "scarceseq/parsed.json").read_text())) >= len(REACHED)
    (scripts / "scarceseq/shared.py").write_text("VALUE = 2\n")
    assert plan(scripts, cache) == plan(scripts, "/dev/null") != expected


def test_what_is_kept_is_read_again_instead_of_parsed(scripts, tmp_path):
    cache = tmp_path / "cache"
    before = plan(scripts, cache)
    path = cache / "scarceseq/parsed.json"
    kept = {key: source | {"content": "other"} for key, source in json.loads(path.read_text()).items()}
    path.write_text(json.dumps(kept))
    assert plan(scripts, cache) != before
