"""A full disk, a folder or a log that cannot be written: the run stops and says why, and goes on when it can."""

import os
import subprocess

import pytest
from helpers import snakemake
from test_workflow_kills import TINY, tables

STUDIES = "results/tiny/archive/studies.tsv"


@pytest.fixture
def small_disk(repository_copy):
    """Function that mounts a file system of a few kilobytes as the results folder, or changes the one that is there."""
    folder = repository_copy / "results"
    mounted = []

    def mount(options):
        again = "remount," if mounted else ""
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", again + options, "tmpfs", folder], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"file systems may not be mounted here: {done.stderr.strip()}")
        mounted.append(folder)

    folder.mkdir(exist_ok=True)
    yield mount
    if mounted:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [300, 900, 1300, 1700, 2300])
def test_on_a_full_disk_the_run_stops_with_the_reason_and_ends_equal_when_there_is_room(
    finished_run, repository_copy, small_disk, kilobytes
):
    small_disk(f"size={kilobytes}k")
    target = "results/tiny/corpus/training.npy"
    done = snakemake(repository_copy, "--cores", "2", target, *TINY, check=False)
    assert done.returncode != 0
    assert "No space left on device" in done.stdout or "cannot be written to (No space left" in done.stdout
    assert not (repository_copy / target).exists()
    small_disk("size=200m")
    snakemake(repository_copy, "--cores", "2", target, *TINY)
    expected, found = tables(finished_run), tables(repository_copy)
    assert {"corpus/training.npy", "corpus/corpus.h5ad"} <= set(found) <= set(expected)
    assert [name for name in found if found[name] != expected[name]] == []


def test_a_results_folder_that_cannot_be_written_is_named_before_anything_runs(repository_copy, small_disk):
    small_disk("size=1m,ro")
    done = snakemake(repository_copy, "--cores", "1", STUDIES, *TINY, check=False)
    assert done.returncode != 0
    assert "results/tiny cannot be written to (Read-only file system)" in done.stdout
    assert "Generating the small world" not in done.stdout


def test_a_folder_that_became_read_only_stops_the_run_that_would_replace_its_files(repository_copy, small_disk):
    small_disk("size=50m")
    snakemake(repository_copy, "--cores", "1", STUDIES, *TINY)
    before = (repository_copy / STUDIES).read_bytes()
    small_disk("ro")
    arguments = ("--cores", "1", STUDIES, "--forcerun", "list_studies", *TINY)
    done = snakemake(repository_copy, *arguments, check=False)
    assert done.returncode != 0
    assert "Write-protected output files" in done.stdout
    assert STUDIES in done.stdout
    small_disk("rw")
    snakemake(repository_copy, *arguments)
    assert (repository_copy / STUDIES).read_bytes() == before


def test_a_log_that_cannot_be_written_is_named_and_the_run_goes_on_when_it_can(repository_copy):
    folder = repository_copy / "results/tiny/logs/list_studies"
    folder.parent.mkdir(parents=True)
    folder.write_text("no folder")
    done = snakemake(repository_copy, "--cores", "1", STUDIES, *TINY, check=False)
    assert done.returncode != 0
    assert os.path.relpath(folder, repository_copy) in done.stdout
    assert not (repository_copy / STUDIES).exists()
    folder.unlink()
    snakemake(repository_copy, "--cores", "1", STUDIES, *TINY)
    assert (repository_copy / STUDIES).exists()
