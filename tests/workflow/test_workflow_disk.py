"""A full disk, a folder or a log that cannot be written: the run stops and says why, and goes on when it can."""

import os
import subprocess
import time

import pytest
import yaml
from helpers import command, environment, snakemake
from scarceseq.files import machine
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
    # Manifests hold the address of each file, and so the folder of the copy.
    assert [name for name in found if found[name] != expected[name] and "manifest" not in name] == []


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


def test_an_input_from_the_future_stops_the_run_before_it_starts(repository_copy):
    snakemake(repository_copy, "--cores", "1", STUDIES, *TINY)
    study = repository_copy / "counts.tsv"
    study.write_text("gene\ts1\nG1\t1\n")
    os.utime(study, (time.time() + 86_400,) * 2)
    config = {"user_studies": [{"name": "mine", "counts": "counts.tsv", "gene_id_type": "ensembl"}]}
    (repository_copy / "mine.yaml").write_text(yaml.safe_dump(config))
    before = (repository_copy / STUDIES).stat().st_mtime_ns
    arguments = ("--cores", "1", STUDIES, "--forcerun", "list_studies", *TINY, "mine.yaml")
    done = snakemake(repository_copy, *arguments, check=False)
    assert done.returncode != 0
    assert "counts.tsv is dated in the future" in done.stdout
    assert "touch 'counts.tsv'" in done.stdout
    assert (repository_copy / STUDIES).stat().st_mtime_ns == before
    os.utime(study)
    snakemake(repository_copy, *arguments)


def test_what_a_killed_step_left_is_removed_by_the_next_run(repository_copy):
    folder = repository_copy / "results/tiny/corpus"
    folder.mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    leftover = folder / f".training.npy.{machine()}-{ended.pid}.abcdefgh.tmp.npy"
    leftover.write_bytes(bytes(1000))
    done = snakemake(repository_copy, "--cores", "1", STUDIES, *TINY)
    assert "which a step that was killed had left" in done.stdout
    assert not leftover.exists()


def test_a_home_that_cannot_be_written_needs_one_variable(repository_copy):
    """As docs/troubleshooting.md says."""
    place = environment() | {"HOME": "/proc/nowhere"}
    place.pop("XDG_CACHE_HOME", None)
    run = {"cwd": repository_copy, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    arguments = command("--cores", "1", STUDIES, *TINY)
    done = subprocess.run(arguments, env=place, **run)
    assert done.returncode != 0
    assert "makedirs(self.cache_path" in done.stdout
    done = subprocess.run(arguments, env=place | {"XDG_CACHE_HOME": str(repository_copy / "cache")}, **run)
    assert done.returncode == 0, done.stdout
    assert (repository_copy / STUDIES).exists()
