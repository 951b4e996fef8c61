"""Runs a whole workflow on a mirror, in pieces if need be, and reads what each rule took from its own benchmarks."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import plan
import psutil
import yaml

COLUMNS = {"s": "wall_s", "cpu_time": "cpu_s", "max_rss": "peak_mb", "io_out": "written_mb"}
MEGABYTE = 1.048576  # of 10^6 bytes, in one of 2^20
# The script that Snakemake starts for a job ends in the rule's name.
SCRIPT = re.compile(r"\.snakemake/scripts/tmp\w+\.(\w+)\.py$")
HELD = "held.json"


def run(folder, cores, seconds=None, arguments=()):
    """Run Snakemake with `folder`/config.yaml until it ends, or no further than `seconds`; output goes to run.log.

    What each rule's largest job held goes to `held.json`, the most of this and earlier attempts.

    Returns
    -------
    float, float, int
        Seconds; the most megabytes that all its processes were seen to have together; exit status.
    """
    place = ["-s", plan.REPOSITORY / "Snakefile", "--profile", plan.REPOSITORY / "profiles/default"]
    command = [sys.executable, "-m", "snakemake", *place, "--directory", folder, "--cores", cores]
    command += ["--configfile", folder / "config.yaml", "--rerun-incomplete", *arguments]
    start, most, asked = time.perf_counter(), 0, False
    held = json.loads((folder / HELD).read_text()) if (folder / HELD).exists() else {}
    with open(folder / "run.log", "a") as log:
        process = psutil.Popen(list(map(str, command)), stdout=log, stderr=subprocess.STDOUT)
        while process.poll() is None:
            most = max(most, resident(process))
            for _ in range(5):
                held = larger(held, anonymous(process))
                time.sleep(0.1)
            if seconds and not asked and time.perf_counter() - start > seconds:
                process.send_signal(signal.SIGTERM)  # running jobs end, no more are started
                asked = True
    (folder / HELD).write_text(json.dumps(held))
    return time.perf_counter() - start, most / 1e6, process.returncode


def anonymous(process):
    """Megabytes of memory without pages of files, by rule, that each job below a process has with its children."""
    held = {}
    for member in members(process):
        try:
            rule = next(filter(None, (SCRIPT.search(word) for word in member.cmdline())), None)
            if rule:
                held = larger(held, {rule[1]: sum(map(anonymous_bytes, members(member))) / 1e6})
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            continue
    return held


def anonymous_bytes(process):
    """Bytes that the kernel cannot take back, 0 of a process that has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    kilobytes = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(kilobytes[1]) * 1024 if kilobytes else 0


def members(process):
    """A process and all below it."""
    try:
        return [process, *process.children(recursive=True)]
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def larger(one, other):
    """The larger of two numbers by name."""
    return one | {name: max(value, one.get(name, 0)) for name, value in other.items()}


def resident(process):
    """Bytes that a process and its children hold, with the pages of mapped files; what they share counts once."""
    total = 0
    for member in members(process):
        try:
            total += member.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            continue
    return total


def rules_table(results):
    """One row per rule: jobs, seconds of wall and of processor, megabytes of the largest job, megabytes written.

    `peak_mb` has the pages of mapped files, which the kernel takes back when others need them; `held_mb` has not.
    """
    rows, held = [], Path(results).parents[1] / HELD
    held = json.loads(held.read_text()) if held.exists() else {}
    for stage in sorted(Path(results, "benchmarks").iterdir()):
        files = sorted(stage.rglob("*.tsv"))
        table = pd.concat([pd.read_csv(path, sep="\t") for path in files])
        table = table[list(COLUMNS)].apply(pd.to_numeric, errors="coerce").rename(columns=COLUMNS)
        sums = table[["wall_s", "cpu_s", "written_mb"]].sum()
        peak = table["peak_mb"].max() * MEGABYTE
        rows.append(
            {"rule": stage.name, "jobs": len(files), **sums, "longest_s": table["wall_s"].max(), "peak_mb": peak}
            | {"held_mb": held.get(stage.name, peak)}
        )
    return pd.DataFrame(rows).set_index("rule").round(2)


def bytes_below(folder):
    """Bytes of all files."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())


def write_config(folder, config):
    """Write `folder`/config.yaml unless it says so already, so that its date stays."""
    text = yaml.safe_dump(config)
    path = folder / "config.yaml"
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
