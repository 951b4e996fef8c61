"""Run one benchmark and keep what it found: `record.py benchmarks/NAME.py [arguments]` writes results/NAME.json.

The last line that the benchmark prints is its result; date, machine and commit are added. A quick run is not kept.
"""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"


def machine():
    """Processor, cores and operating system."""
    model = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def commit():
    """Commit of the repository, marked if files that git tracks differ from it."""
    git = ["git", "-C", str(RESULTS.parent), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    return subprocess.run(git, capture_output=True, text=True).stdout.strip() or "unknown"


def run(script, arguments):
    """Run a benchmark, its output shown as it comes; returns (exit status, last line)."""
    command = [sys.executable, str(script), *arguments]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line
    return process.returncode, last


def main(script, *arguments):
    """Exit status of the benchmark."""
    found = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "commit": commit()}
    status, last = run(script, arguments)
    if "--quick" not in arguments:
        try:
            result = json.loads(last)
        except json.JSONDecodeError:
            print(f"{script}: its last line is no result", file=sys.stderr)
            return status or 1
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps(result | found, indent=1, sort_keys=True)
        (RESULTS / f"{Path(script).stem}.json").write_text(text + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
