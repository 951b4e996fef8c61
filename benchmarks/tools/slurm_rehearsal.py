"""A first real run through `profiles/slurm`, on a cluster of this machine that kills jobs above their memory.

`python benchmarks/tools/slurm_rehearsal.py FOLDER TARGET`: FOLDER is one that `benchmarks/first_run.py --folder` kept,
with its mirror; the results go to TARGET. Started by root, with an interpreter that has envs/slurm.txt and, as
`tests/slurm/cluster.sh` says, Debian's packages of SLURM. The bar: no job is submitted again.
"""

import json
import subprocess
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

import archive_mirror
import needs_check
import plan
import whole_run

CLUSTER = plan.REPOSITORY / "tests/slurm/cluster.sh"
# No database of jobs on one node, and a short wait before each look at the queue.
ONE_NODE = ("--slurm-no-account", "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2")
JOBS = 2  # the node's cores


def command(folder: Path) -> list[str]:
    """Snakemake's command line."""
    words = [sys.executable, "-m", "snakemake", "-s", plan.REPOSITORY / "Snakefile", "--directory", folder]
    words += ["--profile", plan.REPOSITORY / "profiles/slurm", "--jobs", JOBS, *ONE_NODE, "--max-threads", JOBS]
    words += ["--seconds-between-status-checks", "5", "--configfile", folder / "config.yaml"]
    return list(map(str, words))


def main(kept: str, target: str) -> int:
    """Run, and print jobs, those submitted again, and each rule's largest job beside what it asked for."""
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load(Path(kept, "config.yaml").read_text())
    subprocess.run([CLUSTER, "start"], check=True)
    try:
        with archive_mirror.serve(Path(kept, "mirror")) as address, open(folder / "run.log", "w") as log:
            config["archive"]["mirrors"] = [address]
            whole_run.write_config(folder, config)
            status = subprocess.run(command(folder), stdout=log, stderr=subprocess.STDOUT).returncode
    finally:
        subprocess.run([CLUSTER, "stop"], check=True)
    text = (folder / "run.log").read_text()
    if status:
        sys.exit(f"the run failed, see {folder}/run.log")
    results = folder / "results" / config["name"]
    print(needs_check.compare(results).round(1).to_string())
    jobs, again = int(whole_run.rules_table(results)["jobs"].sum()), text.count("Trying to restart job")
    print(json.dumps({"jobs": jobs, "submitted_again": again}))
    return 0 if again == 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
