import pytest
from helpers import copy_repository, snakemake

TINY = ("--configfile", "tests/config/tiny.yaml")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """A copy of the repository in which the tiny config has run to its end."""
    folder = copy_repository(tmp_path_factory.mktemp("finished") / "scarceseq")
    snakemake(folder, "--cores", "2", *TINY)
    return folder


@pytest.fixture
def repository_copy(tmp_path):
    """A copy of the repository in which nothing has run."""
    return copy_repository(tmp_path / "scarceseq")
