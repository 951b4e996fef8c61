"""Before the first job: what killed steps left is removed, what is being written stays, and the future is refused."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from scarceseq import files
from scarceseq.config.dates import files_named, refuse_future
from scarceseq.errors import InputError
from scarceseq.files import atomic, remove_leftovers

WRITER = """
import sys, time
from scarceseq.files import atomic, remove_leftovers
with atomic(sys.argv[1], sealed=True) as temporary:
    temporary.write_text("half")
    print(temporary, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def writer(tmp_path):
    """A process that is in the middle of writing a file, and the temporary file."""
    place = Path(files.__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "deep/model.safetensors")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=place,
    )
    yield process, Path(process.stdout.readline().strip())
    process.kill()
    process.wait()


def test_what_a_killed_step_left_is_removed_and_what_is_being_written_stays(tmp_path, writer):
    process, temporary = writer
    assert remove_leftovers(tmp_path) == []
    assert temporary.exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert temporary.exists()
    assert remove_leftovers(tmp_path) == [temporary]
    assert list((tmp_path / "deep").iterdir()) == []


def test_files_of_other_machines_stay_for_a_day(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    with atomic(tmp_path / "a.json") as temporary:
        temporary.write_text("half")
        monkeypatch.undo()
        assert remove_leftovers(tmp_path) == []
        os.utime(temporary, (time.time() - 90_000,) * 2)
        assert remove_leftovers(tmp_path) == [temporary]
        temporary.touch()


def test_other_hidden_files_stay(tmp_path):
    for name in (".lock", ".a.json.crc32", ".note.tmp", "a.0123abcd-1.abcdefgh.tmp", ".fetched.jsonl"):
        (tmp_path / name).touch()
    assert remove_leftovers(tmp_path) == []


def test_a_file_dated_in_the_future_is_refused_with_the_remedy_and_others_are_not(tmp_path):
    now, later = tmp_path / "now.tsv", tmp_path / "later.tsv"
    for path in (now, later):
        path.touch()
    refuse_future([now, later, tmp_path / "gone"])
    os.utime(later, (time.time() + 3600,) * 2)
    with pytest.raises(InputError, match=r"later\.tsv is dated in the future .*run `touch '.*later\.tsv'`"):
        refuse_future([now, later])


def test_files_that_a_config_names_are_looked_at_wherever_they_stand(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("a.tsv", "b.h5ad", "folder/corpus.h5ad"):
        (tmp_path / name).touch()
    config = {
        "one": {"two": [str(tmp_path / "a.tsv"), {"three": f"file://{tmp_path}/b.h5ad"}]},
        "joined": [str(tmp_path / "folder")],
        "words": ["x" * 5000, "", "a\0b", "no file", 3, None, True],
    }
    expected = {tmp_path / name for name in ("a.tsv", "b.h5ad", "folder/corpus.h5ad")}
    assert set(files_named(config)) == expected
