"""The tiny config through a real SLURM of one node: a killed job is retried, a cancelled run resumes, equal tables."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time

import pytest
from helpers import REPOSITORY, environment, snakemake
from test_workflow_kills import TINY, tables

# No database of jobs on one node, and a short wait before each look at the queue.
FAST = (
    *("--profile", "profiles/slurm", "--slurm-no-account", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "5"),
    *("--jobs", "2", "--group-components", "rankings=2", *TINY),
)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A running cluster; gives the interpreter of an environment that has the executor's plugin."""
    if os.geteuid() or not (shutil.which("slurmctld") and shutil.which("munged")):
        pytest.skip("needs root and the Debian packages named in tests/slurm/cluster.sh")
    if "is UP" in subprocess.run(["scontrol", "ping"], capture_output=True, text=True).stdout:
        pytest.skip("a SLURM controller runs here already")
    folder = tmp_path_factory.mktemp("slurm")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    # all else is taken from the environment of the tests
    site = folder / "venv/lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (site / "tests.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    python = folder / "venv/bin/python"
    requirements = REPOSITORY / "envs/slurm.txt"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements], check=True)
    cluster = REPOSITORY / "tests/slurm/cluster.sh"
    subprocess.run([cluster, "start"], check=True)
    yield python
    subprocess.run([cluster, "stop"], check=True)


# The run takes about ten minutes; a job that the cluster can never start would be waited for without end.
LONGEST_SECONDS = 2400


def start(python, folder):
    """A run through the cluster, in the background; what it prints goes to a file."""
    with open(folder / "run.log", "a") as log:
        return subprocess.Popen(
            [python, "-m", "snakemake", *FAST],
            cwd=folder,
            env=environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            # a background process of a shell would ignore what Ctrl-C sends, and so would its children
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )


def queue(state):
    """(job, rule or group) of all jobs in a state, as the queue tells."""
    listing = ["squeue", "--noheader", f"--states={state}", "--format=%i %k"]
    lines = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines]


def wait_for_job(process, rule):
    """Number of a running job of a rule."""
    while process.poll() is None:
        for job, comment in queue("RUNNING"):
            if rule in comment:
                return job
        time.sleep(0.2)
    raise AssertionError(f"the run ended with {process.returncode} before a job of {rule} was seen")


@pytest.mark.slow
def test_through_a_cluster_with_a_killed_job_and_a_cancelled_run(slurm, finished_run, repository_copy):
    run = start(slurm, repository_copy)
    log = repository_copy / "run.log"
    try:
        subprocess.run(["scancel", "--signal=KILL", "--batch", wait_for_job(run, "generate_demo")], check=True)
        wait_for_job(run, "merge_corpus")
        assert "Trying to restart job" in log.read_text()
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=120) != 0
        for _ in range(60):
            if not queue("RUNNING"):
                break
            time.sleep(1)
        assert not queue("RUNNING"), "a cancelled run leaves its jobs"
        assert not (repository_copy / "results/tiny/report.html").exists()
        run = start(slurm, repository_copy)
        try:
            done = run.wait(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            done = queue("PENDING")
        assert done == 0, f"{done}\n{log.read_text()[-6000:]}"
    finally:
        run.kill()
    expected, found = tables(finished_run), tables(repository_copy)
    assert [name for name in expected if found.get(name) != expected[name]] == []
    assert "Nothing to be done" in snakemake(repository_copy, "--cores", "2", *TINY).stdout
