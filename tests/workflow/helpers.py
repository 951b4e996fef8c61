"""Run Snakemake on a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def copy_repository(target):
    """Copy what git tracks or would track, so that a test can edit it."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listing.stdout.splitlines():
        source = REPOSITORY / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    return target


def environment():
    """Environment for a child process: this interpreter first, arithmetic on one thread."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }


def command(*arguments):
    """Snakemake's command line."""
    return [sys.executable, "-m", "snakemake", *arguments]


def snakemake(folder, *arguments, check=True):
    """Run Snakemake in `folder`; return the finished process, its output and errors joined."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if check and done.returncode:
        raise AssertionError(f"snakemake {' '.join(arguments)} failed:\n{done.stdout[-6000:]}")
    return done


def planned(folder, *arguments):
    """Number of jobs of each rule that ``snakemake -n`` would run, without the target rule."""
    output = snakemake(folder, "-n", *arguments).stdout
    if "Nothing to be done" in output:
        return {}
    table = output.split("Job stats:")[-1]
    counts = dict(re.findall(r"^([a-z_]+)\s+(\d+)$", table, flags=re.MULTILINE))
    return {rule: int(count) for rule, count in counts.items() if rule not in ("all", "total")}
