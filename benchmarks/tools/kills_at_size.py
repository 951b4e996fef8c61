"""Killed at full width and started again, a step ends with the same files: pre-training, a block of scouts, fits.

`kills_at_size.py FOLDER [TIMES]` takes the folder of a finished rehearsal (`first_run.py` or `dress_rehearsal.py`, with
`--folder`). Of each rule it moves the outputs of its longest job away, starts the run for them, kills all of its
processes (signal 9) `TIMES` times, after even shares of the seconds that the job took, lets it end, and compares.
What tells times, and the commit, is left out of the comparison. The exit status is 1 if anything differs.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
import plan

RULES = ("pretrain", "train_scouts", "fit_episodes")
TIMED = ("seconds", "samples_per_second", "elapsed")


def command(folder, *arguments):
    """Snakemake on a rehearsal's folder."""
    place = ["-s", plan.REPOSITORY / "Snakefile", "--profile", plan.REPOSITORY / "profiles/default"]
    base = [sys.executable, "-m", "snakemake", *arguments, *place, "--directory", folder, "--cores", 2]
    return list(map(str, [*base, "--configfile", folder / "config.yaml", "--rerun-incomplete"]))


def jobs(folder):
    """{rule: [outputs of each job]}, from Snakemake's own summary; a job's outputs share their log."""
    done = subprocess.run(command(folder, "--summary"), capture_output=True, text=True, check=True, cwd=folder)
    start = done.stdout.index("output_file")
    table = pd.read_csv(StringIO(done.stdout[start:]), sep="\t")
    table = table[table["rule"].isin(RULES)]
    return {
        rule: [list(part["output_file"]) for _, part in rows.groupby("log-file(s)")]
        for rule, rows in table.groupby("rule")
    }


def content(path):
    """Hash of a file, of a table without what tells times."""
    if path.is_dir():
        return ""
    if path.suffix in (".parquet", ".tsv"):
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, sep="\t")
        kept = [name for name in table.columns if not any(word in name for word in TIMED)]
        return hashlib.sha256(table[kept].to_csv().encode()).hexdigest()
    if path.suffix == ".json":
        values = json.loads(path.read_text())
        values.pop("commit", None)
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def seconds_of(folder, rule):
    """Wall seconds of the rule's longest job."""
    files = next((folder / "results").glob(f"*/benchmarks/{rule}")).rglob("*.tsv")
    return max(float(pd.read_csv(path, sep="\t")["s"].iloc[0]) for path in files)


def kill_and_finish(folder, outputs, shares, seconds):
    """Start the run for some files, kill it after each share of the seconds, and let it end; kills that met a job."""
    met = 0
    for share in shares:
        with open(folder / "kills.log", "a") as log:
            run = command(folder, *outputs)
            process = subprocess.Popen(run, cwd=folder, stdout=log, stderr=log, start_new_session=True)
            try:
                process.wait(timeout=PLANNING_SECONDS + share * seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                met += 1
        time.sleep(1)
    with open(folder / "kills.log", "a") as log:
        subprocess.run(command(folder, *outputs), cwd=folder, stdout=log, stderr=log, check=True)
    return met


PLANNING_SECONDS = 8


def main(folder, times="2"):
    """Exit status."""
    folder, rows = Path(folder).resolve(), []
    shares = [(number + 1) / (int(times) + 1) for number in range(int(times))]
    for rule, found in jobs(folder).items():
        outputs = max(found, key=lambda names: sum((folder / name).stat().st_size for name in names))
        before, seconds = {name: content(folder / name) for name in outputs}, seconds_of(folder, rule)
        aside = folder / "aside" / rule
        for name in outputs:
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).rename(aside / name)
        met = kill_and_finish(folder, outputs, shares, seconds)
        differing = [name for name in outputs if content(folder / name) != before[name]]
        rows.append({"rule": rule, "files": len(outputs), "seconds": seconds, "kills": met, "differing": differing})
        print(rows[-1], flush=True)
    print(json.dumps(rows))
    return int(any(row["differing"] for row in rows))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
