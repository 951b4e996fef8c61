"""Run Snakemake on a copy of the repository."""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scarceseq.files import atomic
from warm import Warm

REPOSITORY = Path(__file__).parents[2]
PACKAGE = "workflow/scripts/scarceseq"


def copy_repository(target):
    """Copy what git tracks or would track, so that a test can edit it, and what is compiled of it already."""
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
    copy_compiled(REPOSITORY, target)
    return target


def copy_compiled(source, target):
    """Copy what Python and numba have compiled of the package, and `target` not; both look whether it is out of date.

    Numba's index of a function comes last, since it names the other files.
    """
    for suffix in (".pyc", ".nbc", ".nbi"):
        for path in (source / PACKAGE).rglob(f"__pycache__/[!.]*{suffix}"):
            place = target / path.relative_to(source)
            if place.exists() or not place.parents[1].exists():
                continue
            with atomic(place) as temporary:
                shutil.copy2(path, temporary)


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


@functools.cache
def warm():
    """The process of which commands are forked, one for each worker of pytest."""
    return Warm(Path(tempfile.mkdtemp(prefix="warm")))


def snakemake(folder, *arguments, check=True, fresh=False):
    """Run Snakemake in `folder`; return the finished process, its output and errors joined.

    If `fresh`, Python starts anew for it and for each of its jobs, as it does for a user; else all are forks of `warm`.
    """
    whole, place = command(*arguments), {"cwd": folder, "env": environment()}
    with tempfile.TemporaryFile("w+") as output:
        if fresh:
            code = subprocess.run(whole, **place, stdout=output, stderr=subprocess.STDOUT).returncode
        else:
            code = warm().run(whole[1:], *place.values(), output.fileno())
        output.seek(0)
        done = subprocess.CompletedProcess(whole, code, output.read())
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
