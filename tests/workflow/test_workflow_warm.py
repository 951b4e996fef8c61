"""Forks of a process that has the libraries do what Python does that starts anew."""

import subprocess
import sys
import tempfile

import pytest
from helpers import environment, warm

SCRIPTS = {
    "ends": "import os, sys; print(sys.argv, os.getcwd(), os.environ['GIVEN'], 'ORDER' in os.environ, sys.path[:2])",
    "imports what lies beside it and in PYTHONPATH": "import beside, given; print(beside.NAME, given.NAME, __name__)",
    "writes to both streams": "import os, sys; os.system('echo child'); print('error', file=sys.stderr)",
    "ends with a code": "import atexit, sys; atexit.register(print, 'at the end', flush=True); sys.exit(3)",
    "ends with a sentence": "raise SystemExit('no such study')",
    "fails by a hook": "import sys; sys.excepthook = lambda *error: print(error[:2]); 1 / 0",
    "is killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
}


@pytest.mark.parametrize("does", SCRIPTS)
def test_a_fork_does_what_a_new_process_does(tmp_path, does):
    (tmp_path / "given").mkdir()
    (tmp_path / "script.py").write_text(SCRIPTS[does])
    (tmp_path / "beside.py").write_text("NAME = 'beside'")
    (tmp_path / "given/given.py").write_text("NAME = 'given'")
    place = {"cwd": tmp_path, "env": environment() | {"GIVEN": "here", "PYTHONPATH": str(tmp_path / "given")}}
    arguments = [str(tmp_path / "script.py"), "one"]
    anew = subprocess.run([sys.executable, *arguments], **place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with tempfile.TemporaryFile() as output:
        assert warm().run(arguments, *place.values(), output.fileno()) == anew.returncode
        output.seek(0)
        assert output.read() == anew.stdout


def test_an_error_that_nobody_catches_is_told_and_the_code_is_one(tmp_path):
    (tmp_path / "script.py").write_text("1 / 0")
    with tempfile.TemporaryFile("w+") as output:
        assert warm().run([str(tmp_path / "script.py")], tmp_path, environment(), output.fileno()) == 1
        output.seek(0)
        assert "ZeroDivisionError: division by zero" in output.read()
