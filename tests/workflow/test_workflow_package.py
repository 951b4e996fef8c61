"""The package as `pip install .` leaves it, used from elsewhere. Oracle: the files that git tracks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import REPOSITORY, copy_repository

PACKAGE = "workflow/scripts/scarceseq"
USE = """
import sys
from pathlib import Path

import scarceseq
from scarceseq.report import page
from scarceseq.screen.fetch import catalogue

assert Path(scarceseq.__file__).is_relative_to(sys.argv[1]), scarceseq.__file__
print(len(catalogue()))
head = page.Head("elsewhere", 3, "Nothing.", {"name": "elsewhere"})
page.write(head, [], "report.html", "figures", "tables")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Folder into which the package was installed, without what it needs, from a copy of the repository."""
    folder = tmp_path_factory.mktemp("package")
    source = copy_repository(folder / "source")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", folder / "installed", source]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "installed"


def test_every_file_of_the_package_is_installed(installed: Path):
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", PACKAGE],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    names = {Path(name).relative_to(PACKAGE) for name in listing.stdout.splitlines() if (REPOSITORY / name).is_file()}
    assert {path.suffix for path in names} >= {".py", ".j2", ".js", ".tsv"}
    assert sorted(str(name) for name in names if not (installed / "scarceseq" / name).is_file()) == []


def test_the_installed_package_reads_its_catalogue_and_writes_a_page(installed: Path, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", USE, installed],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = (REPOSITORY / PACKAGE / "screen/catalogue.tsv").read_text().splitlines()
    assert done.stdout.split() == [str(len(lines) - 1)]
    page = (tmp_path / "report.html").read_text()
    assert "elsewhere" in page
    assert "<script" in page
