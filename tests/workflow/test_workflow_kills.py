"""Killed in any rule and started again, a run completes, and its tables equal those of an unbroken run."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from helpers import command, environment, snakemake

TINY = ("--configfile", "tests/config/tiny.yaml")
# what carries times or absolute paths
EXCEPTED = ("report.html", "figures", "tables", "benchmarks", "logs")


def tables(folder):
    """Content of every output of a run, but for what tells times."""
    root = folder / "results/tiny"
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_dir() or name.split("/")[0] in EXCEPTED or path.name.startswith("."):
            continue
        if path.name == "manifest.jsonl":
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            found[name] = [{key: value for key, value in line.items() if key != "url"} for line in lines]
        else:
            found[name] = path.read_bytes()
    return found


def kill_in(folder, rule, seconds=120):
    """Start the run and kill its whole process group while a job of `rule` runs; False if the rule ran to its end."""
    logs = folder / "results/tiny/logs" / rule
    before = set(logs.glob("*"))
    process = subprocess.Popen(
        command("--cores", "2", *TINY),
        cwd=folder,
        env=environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end and process.poll() is None:
            if set(logs.glob("*")) - before:
                return True
            time.sleep(0.02)
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def rules_with_logs(folder):
    """Rules in the order in which they first wrote a log."""
    logs = [path for path in (folder / "results/tiny/logs").iterdir() if path.is_dir()]
    return [path.name for path in sorted(logs, key=lambda path: min(log.stat().st_mtime for log in path.iterdir()))]


def test_killed_in_every_rule_the_run_resumes_to_equal_tables(finished_run, repository_copy):
    killed = [rule for rule in rules_with_logs(finished_run) if kill_in(repository_copy, rule)]
    snakemake(repository_copy, "--cores", "2", *TINY)
    assert len(killed) >= 12
    expected, resumed = tables(finished_run), tables(repository_copy)
    assert set(resumed) == set(expected)
    assert [name for name in expected if resumed[name] != expected[name]] == []
    leftovers = [path for path in (repository_copy / "results").rglob(".*.tmp*") if path.is_file()]
    assert all(Path(path).name.startswith(".") for path in leftovers)


def test_two_runs_of_one_folder_exclude_each_other(repository_copy):
    import fcntl

    folder = repository_copy / "results/tiny"
    folder.mkdir(parents=True)
    with open(folder / ".lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = snakemake(repository_copy, "--cores", "1", *TINY, check=False)
    assert done.returncode != 0
    assert "another run is writing to results/tiny" in done.stdout
