"""Killed in any rule and started again, a run completes, and its tables equal those of an unbroken run."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time

import pandas as pd
import pytest
import yaml
from helpers import command, environment, planned, snakemake

TINY = ("--configfile", "tests/config/tiny.yaml")
# what carries times, absolute paths, or the order in which parallel downloads ended
EXCEPTED = ("report.html", "ro-crate-metadata.json", "figures", "tables", "benchmarks", "logs")
JOURNAL = "fetched.jsonl"
CURVES = "events"
COSTS = "costs.tsv"  # seconds


def tables(folder):
    """Content of every output of a run, but for what tells times."""
    root = folder / "results/tiny"
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if (
            path.is_dir()
            or name.split("/")[0] in EXCEPTED
            or path.name.startswith(".")
            or path.name == JOURNAL
            or path.parent.name == CURVES
            or path.name.endswith(COSTS)
        ):
            continue
        if path.name == "manifest.jsonl":
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            found[name] = [
                {key: value for key, value in line.items() if key not in ("url", "final_url")} for line in lines
            ]
        elif name.endswith("costs.tsv"):
            found[name] = pd.read_csv(path, sep="\t").drop(columns="seconds").to_csv(sep="\t")
        else:
            found[name] = path.read_bytes()
    return found


def rules_that_logged(folder):
    """Rules of which a job has begun: its script opens the log first of all."""
    logs = folder / "results/tiny/logs"
    return {path.name for path in logs.iterdir() if any(path.iterdir())} if logs.exists() else set()


def begin_run(folder):
    """Start the run, silent, in a process group of its own."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(
        command("--cores", "2", *TINY), cwd=folder, env=environment(), start_new_session=True, **silent
    )


def run_until_another_rule_begins(folder, known, delay_seconds):
    """Start the run and kill its whole process group soon after a rule not in `known` begins.

    Returns
    -------
    set of str
        The rules that began; empty if the run ended by itself.
    """
    process = begin_run(folder)
    try:
        while process.poll() is None:
            begun = rules_that_logged(folder) - known
            if begun:
                time.sleep(delay_seconds)
                return begun
            time.sleep(0.01)
        return set()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_killed_in_every_rule_the_run_resumes_to_equal_tables(finished_run, repository_copy):
    killed, delays = set(), random.Random(1)
    while begun := run_until_another_rule_begins(repository_copy, killed, delays.uniform(0, 0.5)):
        killed |= begun
    snakemake(repository_copy, "--cores", "2", *TINY, fresh=True)
    assert killed == rules_that_logged(finished_run)
    expected, resumed = tables(finished_run), tables(repository_copy)
    assert set(resumed) == set(expected)
    assert [name for name in expected if resumed[name] != expected[name]] == []


MOMENTS = 20


def run_for(folder, seconds, ending):
    """Start the run, send a signal to its whole process group after some seconds, and wait for its end.

    Returns
    -------
    bool
        Whether the run ended before, by itself.
    """
    process = begin_run(folder)
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, ending)
        process.wait(60)
        return False
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_ended_at_twenty_drawn_moments_the_run_resumes_to_equal_tables(finished_run, repository_copy):
    """SIGTERM, as a scheduler or a logout sends it, and SIGKILL in turn; from before the planning to the report."""
    moments = random.Random(2)
    for number in range(MOMENTS):
        ending = (signal.SIGTERM, signal.SIGKILL)[number % 2]
        if run_for(repository_copy, moments.uniform(0.5, 10), ending):
            break
    snakemake(repository_copy, "--cores", "2", *TINY, fresh=True)
    assert planned(repository_copy, *TINY) == {}
    expected, resumed = tables(finished_run), tables(repository_copy)
    assert set(resumed) == set(expected)
    assert [name for name in expected if resumed[name] != expected[name]] == []


def test_of_two_runs_started_on_one_folder_one_ends_and_the_other_says_why_not(repository_copy):
    target = "results/tiny/archive/studies.tsv"
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    place = {"cwd": repository_copy, "env": environment()}
    runs = [subprocess.Popen(command("--cores", "1", target, *TINY), **place, **streams) for _ in range(2)]
    told = [run.communicate()[0] for run in runs]
    codes = sorted(run.returncode for run in runs)
    assert codes[0] == 0
    assert (repository_copy / target).exists()
    if codes[1]:  # else the second began when the first had ended
        refused = told[[run.returncode != 0 for run in runs].index(True)]
        assert "another run is writing to results/tiny" in refused


@pytest.mark.parametrize("delay_seconds", [0.3, 0.7, 1.0])
def test_a_second_run_within_the_first_second_says_why_not_or_waits_its_turn(repository_copy, delay_seconds):
    target = "results/tiny/archive/studies.tsv"
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    place = {"cwd": repository_copy, "env": environment()}
    first = subprocess.Popen(command("--cores", "1", target, *TINY), **place, **streams)
    time.sleep(delay_seconds)
    second = subprocess.Popen(command("--cores", "1", target, *TINY), **place, **streams)
    for run in (first, second):
        text = run.communicate()[0]
        assert run.returncode == 0 or "another run is writing to results/tiny" in text, text
        assert "Traceback" not in text
    assert 0 in (first.returncode, second.returncode)
    assert (repository_copy / target).exists()


def test_killed_while_it_trains_a_network_the_run_goes_on_from_the_checkpoint(finished_run, tmp_path):
    folder = tmp_path / "scarceseq"
    shutil.copytree(finished_run, folder)
    longer = {"pretrain": {"bases": {"mlp": {"steps": 500, "checkpoint_every_steps": 50}}}}
    (folder / "longer.yaml").write_text(yaml.safe_dump(longer))
    base = folder / "results/tiny/pretrain/mlp"
    arguments = ("--cores", "1", "results/tiny/pretrain/mlp/model.safetensors", *TINY, "longer.yaml")
    process = subprocess.Popen(
        command(*arguments), cwd=folder, env=environment(), start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        while not (base / "checkpoint/state.safetensors").exists():
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.005)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    log = folder / "results/tiny/logs/pretrain/mlp.log"
    snakemake(folder, *arguments, fresh=True)
    assert "resuming after step" in log.read_text()
    resumed = (base / "model.safetensors").read_bytes()
    assert not (base / "checkpoint").exists()
    snakemake(folder, "--forcerun", "pretrain", *arguments)
    assert "resuming" not in log.read_text()
    assert (base / "model.safetensors").read_bytes() == resumed


def test_two_runs_of_one_folder_exclude_each_other(repository_copy):
    import fcntl

    folder = repository_copy / "results/tiny"
    folder.mkdir(parents=True)
    with open(folder / ".lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = snakemake(repository_copy, "--cores", "1", *TINY, check=False)
    assert done.returncode != 0
    assert "another run is writing to results/tiny" in done.stdout
