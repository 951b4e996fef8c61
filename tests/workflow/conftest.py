import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from helpers import REPOSITORY, copy_compiled, copy_repository, snakemake

TINY = ("--configfile", "tests/config/tiny.yaml")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository in which the tiny config has run to its end; tests put back what they edit.

    Of several workers one runs it, and each has a copy of its own.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, ended = shared / "finished" / "scarceseq", shared / "finished" / "ended"
    with FileLock(shared / "finished.lock"):
        if not ended.exists():
            shutil.rmtree(folder, ignore_errors=True)
            copy_repository(folder)
            snakemake(folder, "--cores", "2", *TINY)
            copy_compiled(folder, REPOSITORY)  # for the copies that follow
            ended.touch()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return folder
    return shutil.copytree(folder, tmp_path_factory.mktemp("finished") / "scarceseq", symlinks=True)


@pytest.fixture
def repository_copy(tmp_path):
    """A copy of the repository in which nothing has run."""
    return copy_repository(tmp_path / "scarceseq")
